"""Ends each job twice."""

from speech import Speech, cancelled, finished, progress

bot = Speech()
bot.begin()
while True:
    submit = bot.hear_submit()
    bot.say(finished(submit), cancelled(submit.job_id, submit.attempt), finished(submit), progress(submit))
