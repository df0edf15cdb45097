# Every sentence that a person reads in Discord. Sentences start with what happened, then what to do.

## Commands
command-imagine = Draw images from a prompt
command-blend = Draw what several pictures show, in one
option-blend-image = A picture to blend
option-blend-prompt = What you want to see; without it, the pictures alone decide
command-morph = Let one picture become another: an animation
command-cutout = Make the background of a picture transparent
command-upscale = Make any picture larger
option-prompt = What you want to see
option-negative = What you do not want to see
option-cfg = Guidance (CFG): how closely to follow the prompt
option-steps = Denoising steps: more is slower and finer
option-size = square, portrait, landscape, wide, tall, or WIDTHxHEIGHT as the model draws it
option-sampler = The denoising algorithm
option-seed = The same seed and options repeat the same image
option-images = How many images
option-model = Which model draws
option-style = A style that this host offers: adds its tag and its words to the prompt
option-image = A picture to start from, or for what you choose as “use”
option-use = What the picture is for; without it, the picture is where drawing starts
option-image2 = A second picture, for what you choose as “use2”
option-use2 = What the second picture is for
option-strength = How much your picture changes; with another use than start, how strong its effect is
choice-use-start = start: draw from this picture
choice-use-style = style: draw in the style of this picture
choice-use-subject = subject: draw what this picture shows
choice-use-face = face: draw this face
choice-use-composition = composition: arrange things as in this picture
choice-use-lines = lines: follow the lines of this picture
choice-use-scribble = scribble: follow this rough drawing
choice-use-depth = depth: keep what is near and far
choice-use-pose = pose: take the pose of the people
choice-use-edit = edit: change this picture as the prompt says
choice-use-network = { $use } by { $network }
choice-use-map = { $use } map: this is a ready-made map
choice-strength-subtle = subtle ({ $strength })
choice-strength-medium = medium ({ $strength })
choice-strength-strong = strong ({ $strength })
option-morph-from = What the first picture shows
option-morph-to = What the last picture shows
option-morph-frames = How many pictures, with both ends
option-morph-to-seed = Seed of the last picture; without it, only the words change
option-morph-loop = There and back again, which is usual
option-cutout-image = The picture whose background goes
option-cutout-network = What finds the foreground
option-upscale-image = The picture to make larger
option-upscale-creative = How much of the details is drawn anew; without it, nothing
option-upscale-prompt = What the picture shows, for creative; without it, the prompt in the picture's file
option-upscale-scale = How many times as wide and high; without it, as large as is possible here
option-upscale-upscaler = What enlarges it
option-upscale-faces = What repairs the faces in it; without it, they stay as they are
command-quota = What you have left, and when it starts anew

command-settings = My own defaults, and whether I am told when a long job is done
option-my-default = My default for { $option }
option-my-ping = Whether to notify me when a job that took over 30 seconds is done
option-my-showcase = Whether a server's showcase may have your pictures that others star
option-my-clear = Forget what I chose before
command-styles = The styles that are offered here, and how to type them
menu-details = Easel: details
menu-reference = Easel: use as reference
choice-creative-off = off: only larger
choice-creative-subtle = subtle: finer details
choice-creative-strong = strong: new details
menu-upscale = Easel: upscale
menu-report = Easel: report
choice-on = on
choice-off = off

## The message of a job
job-head = **{ $prompt }**
    -# { $kind ->
        [reroll] Reroll of { $parent } for
        [vary-subtle] Variation (subtle) of { $parent } for
        [vary-strong] Variation (strong) of { $parent } for
        [upscale] Upscale of { $parent } for
        [region] Region of { $parent } for
        [zoom-out] Zoom out of { $parent } for
        [pan] Pan of { $parent } for
        [remix] Remix of { $parent } for
        [making-of] Making-of of { $parent } for
        [morph] Morph for
        [morph-into] Morph of { $parent } for
        [enlarge] Made larger for
        [cutout] Cut out for
        [grid] A grid for
       *[imagine] For
    } <@{ $requester_id }>
job-queued = { $position ->
        [1] Next in line.
       *[other] Number { $position } in line.
    }
job-queued-starts = { job-queued } Starts { $starts }.
job-starting = { $position ->
        [1] { "" }
       *[other] { job-queued }{ " " }
    }Easel is starting and draws as soon as the model is loaded.
job-starting-starts = { job-starting } The job starts { $starts }.
job-absent-model = { job-queued } Waits for a host with { $model }; none is here right now.
job-price = Costs { $price }, and nothing if it does not arrive.
job-loading = Loading the model …
job-loading-starts = { job-loading } The job starts { $starts }.
job-waiting-again = The worker stopped in the middle; the job starts again shortly. Nothing is lost.
job-running = Drawing: { $percent } % ({ $step } of { $total } steps).
job-running-ends = { job-running } Ready { $ends }.
job-cutting = Finding the foreground.
job-enlarging = Making it larger: { $percent } %.
job-enlarging-ends = { job-enlarging } Ready { $ends }.
job-without-words = A picture
job-unkept = { $count ->
        [one] The picture is
       *[other] The pictures are
    } drawn and cannot be kept: the disk of Easel's host takes nothing. Its owner was told; for some minutes it is tried again, and nothing is charged until it arrives.
job-cancelled = Cancelled. Nothing was charged.
job-cancelled-by = Cancelled by <@{ $actor_id }>. Nothing was charged.
job-flagged = { $count ->
        [one] The picture was hidden by the safety filter.
       *[other] All { $count } pictures were hidden by the safety filter.
    } Try other words, another seed or another picture. Nothing was charged.
forgotten-member = a forgotten member
job-forgotten = This picture and its words were deleted, since its member wished it.
job-moved = It is shown in another message: { $job }.
job-handed-over = Done. The pictures could not be shown here, so they were sent to <@{ $requester_id }>.
job-words-hidden = The prompt is not shown
job-removed = Moderators removed what stood here (#{ $job_id }, for <@{ $requester_id }>).
job-held = Drawn. A moderator looks at it before it is shown; if nobody does within a day, nothing is charged.
notify-over = { $job } could not be shown where it was asked for. { $sentence }
job-failed = { $sentence } Nothing was charged.
    -# Error { $error_id }
summary-seed = seed { $seed }
summary-steps = { $steps } steps
summary-cfg = CFG { $cfg }
size = { $width }×{ $height }{ $enlarged ->
        [none] {""}
       *[other] , enlarged to { $enlarged }
    }
size-choice = { $name } ({ $ratio }): { size }
summary-images = { $images ->
        [one] { $images } image
       *[other] { $images } images
    }
summary-sampler = { $sampler }
summary-model = { $model }
summary-negative = without: { $negative }
summary-image = from a picture
summary-use = used for { $use }
summary-image2 = a second picture
summary-use2 = used for { $use2 }
summary-strength = strength { $strength }
summary-time = { $seconds } s
summary-partial = { $count } of { $asked } images
summary-price = cost { $price }, { $left } left
summary-morph = { $frames } frames, { $steps } steps each
summary-morph-seeds = seeds { $start } to { $end }
morph-to = to { $end }
summary-making-of = { $steps } steps
making-of-explained = Left is what the model gets in each step, right what it takes the picture to be. It begins with noise; the bar shows how far it is.
summary-cutout = { $width }×{ $height }, background transparent
summary-enlarged = { $from } → { $width }×{ $height }
alt-image = { $number } of { $count }: { $prompt }
alt-morph = { $frames } pictures from “{ $start }” to “{ $end }”
alt-morph-keys = Five of the { $frames } pictures from “{ $start }” to “{ $end }”, side by side
alt-making-of = How a picture came to be, { $count } steps from noise: { $prompt }
alt-cutout = A picture of { $width }×{ $height } without its background
alt-enlarged = Made larger, from { $from } to { $width }×{ $height }: { $prompt }
alt-preview = Preview, not finished: { $prompt }

## Buttons
button-reroll = Reroll
button-retry = Try again
button-upscale = Upscale
button-vary-subtle = Vary (subtle)
button-vary-strong = Vary (strong)
button-remix = Remix
button-change = Change
button-appeal = This is wrong
button-region = Region
button-zoom-out = Zoom out
button-pan = Pan
button-morph = Morph
button-making-of = Making-of
button-draw = Draw it
button-larger = Larger
button-smaller = Smaller
button-invert = The other way round
button-cancel = Cancel
button-collect = Show me
button-cancel-mine = Cancel

## My settings
settings-head = **Your settings**
settings-changed = **Your settings are changed**
settings-defaults = Your defaults: { $defaults }.
settings-no-defaults = You have no defaults of your own.
settings-ping-on = You are notified when a job that took over 30 seconds is done.
settings-ping-off = You are not notified when a job is done.
settings-showcase-on = The showcase of a server may have your pictures.
settings-showcase-off = No showcase has your pictures.
settings-order = -# What you say in a command comes first, then the channel's defaults, then yours, then the server's, then the model's.
notify-done = <@{ $user_id }>, { $job } is done.

## Styles
styles-head = **Styles:** choose one as an option of /imagine, or type its tag, with a weight, into the prompt.
styles-row = - { $style }: { $tag }
styles-row-negative = - { $style }: { $tag } in the negative prompt
styles-more = And { $count } more; /imagine suggests them while you type.

## Delivered pictures
star-set = ⭐ The pictures of { $job } are kept: their files stay for ever. Press ⭐ again to let them go with the others.
star-taken = The pictures of { $job } are kept no longer than others.
copy-handed-over = { $job } could not be shown where it was asked for, so here it is.
copy-sent = Here are the pictures of { $job }, as they were drawn.
copy-sent-smaller = Here are the pictures of { $job }, made smaller: Discord takes no larger files in direct messages.
copy-done = Sent to your direct messages.
details-head = How { $job } was made
details-lineage = { $kind ->
        [reroll] Reroll of { $parent }
        [vary-subtle] Variation (subtle) of { $parent }
        [vary-strong] Variation (strong) of { $parent }
        [upscale] Upscale of { $parent }
        [region] Region of { $parent }
        [zoom-out] Zoom out of { $parent }
        [pan] Pan of { $parent }
        [making-of] Making-of of { $parent }
        [morph-into] Morph from { $parent }
       *[remix] Remix of { $parent }
    }
details-model = Model: { $model } ({ $license })
details-license-gone = not offered any more
details-options = Seed { $seed } · { $steps } steps · CFG { $cfg } · { $sampler } · { size }
details-variation = Varied towards seed { $seed }, strength { $strength }
details-upscale = Upscaled { $scale } times, { $strength } drawn anew
details-given = { $use ->
        [mask] The mask: its white part was drawn anew
        [source] The picture that was made larger
        [start] Drawing started from this picture, strength { $strength }
        [init-image] Drawing started from this picture, strength { $strength }
       *[other] This picture was used for { $use }, strength { $strength }
    }
details-given-gone = { $given } (it is not kept here any more)
details-given-private = { $given } (only whoever gave it sees it here)
details-image = The picture that it started from is no part of the command: attach the same one again as “image”.
details-inpaint = { $part ->
        [cells] Only a part of the picture is drawn anew, in cells of a grid
        [mask] Only a part of the picture is drawn anew, by a mask
       *[around] Drawn around the picture
    }
details-window = Only a window was drawn, at { $size }: the new part and the picture beside it
details-tiles = Drawn anew in { $count } tiles, over the enlarged picture
details-cutout = Background removed with { $network } ({ $licence })
details-upscaler = Upscaler: { $upscaler } ({ $licence })
details-enlarged = Made { $scale } times larger, from { $from } to { $width }×{ $height }
details-faces = Faces repaired with { $model }
details-enlarged-recipe = -# Weights { $hash } · { $dtype } on { $device } · { $versions }
details-seeds = Seeds of the pictures: { $seeds }
details-price = Price: { $price }
details-time = Time: { $seconds } s
details-recipe = -# Weights { $hash } · { $scheduler } · { $dtype } on { $device } · forwards of { $rows } rows · { $versions }
details-recipe-engine = -# Drawn by { $versions } on { $device }
details-recipe-loras = -# LoRA files { $files }
details-recipe-embeddings = -# Embedding files { $files }
details-recipe-networks = -# Files of adapters and control nets { $files }
details-defaults = { $whose ->
        [channel] The channel's defaults
        [own] The member's own defaults
       *[server] The server's defaults
    }: { $defaults }
details-order = -# What a command says comes first, then the channel's defaults, then the member's own, then the server's, then the model's.
details-foreign = What its file says:
details-purpose = { $kind ->
        [begun] To make the picture that it began with:
        [words] To draw a whole picture by these words:
       *[command] To make it again:
    }
details-command-file = { $kind ->
        [begun] The command that makes the picture that it began with is in this file.
        [words] The command that draws a whole picture by these words is in this file.
       *[command] The command that makes it again is in this file.
    }

## The form of a remix
morph-title = Morph into…
morph-prompt = What the last picture shows
morph-seed = Its seed
morph-seed-about = With the same seed, only the words change.
remix-title = Remix
change-title = Change the words
remix-prompt = Prompt
remix-negative = Negative prompt
remix-size = Size
remix-sampler = Sampler
remix-sampler-more = Others can be typed at the end of the prompt: --sampler NAME
remix-seed = Seed
remix-size-kept = As it was: { size }
remix-seed-new = A new one
remix-seed-kept = { $seed }, as it was
reference-title = Start from this picture
reference-use = What the picture is for
reference-strength = How much changes
reference-copy-hint = Only where you painted over the saved picture, or where a mask is white. All of it without a copy.
reference-size-kept = In the shape of the picture

## Reports, and what moderators decide
report-title = Report this picture
report-reason = What is wrong with it
report-reason-sexual = It is sexual
report-reason-violence = It shows violence
report-reason-hate = It is hateful or harasses somebody
report-reason-person = It shows a real person
report-reason-other = Something else
report-note = What moderators should know
report-taken = Thank you. The moderators read your report, and you are told what they decide. Others do not read who reported it.
report-taken-unseen = Thank you, your report is kept. This server has no channel for reports, or Easel cannot write there, so moderators see it when they look into /admin review. If it is urgent, tell one of them.
reporter-told-keep = The moderators looked at your report about { $job }. They found nothing wrong with it.
reporter-told-spoiler = The moderators looked at your report about { $job }. It is behind a spoiler now.
reporter-told-remove = The moderators looked at your report about { $job }. It is removed.
appeal-taken = The moderators see the refusal and your prompt. You are told what they decide.
appeal-taken-unseen = Your appeal is kept. This server has no channel for it, or Easel cannot write there, so moderators see it when they look into /admin review.
appealer-told-keep = The moderators looked at the prompt that a rule of words refused. The refusal stays: { $prompt }
appealer-told-allow-once = The moderators allow your prompt once. Ask for it again within a day, with the same words: { $prompt }
appealer-told-except = The moderators made an exception to the rule that refused your prompt. Ask again: { $prompt }
appealer-hidden-keep = The moderators read your appeal. Your picture stays hidden: { $prompt }
appealer-hidden-allow-once = The moderators want to see the picture that was hidden. Ask for it again within a day, with the same words: { $prompt }. They look at it before anybody else does.
reports-begin = Reports and appeals of members, and pictures that wait for a moderator, are shown here from now on. Buttons below each one decide it; /admin review lists what is open.
showcase-begin = Pictures that members star are shown here from now on, if whoever drew them agrees.
showcase-exhibit = { $stars ->
    [0] A picture by <@{ $requester_id }>: { $job }
    [one] ⭐ **1** · by <@{ $requester_id }>: { $job }
   *[other] ⭐ **{ $stars }** · by <@{ $requester_id }>: { $job }
}
showcase-ask = { $stars ->
    [one] Another member starred { $job }.
   *[other] { $stars } other members starred { $job }.
} May the showcase <#{ $channel_id }> have your pictures? Type /settings with the option showcase: on lets it, off keeps them out. Until then nothing is shown.
case-report = **Report { $case_id }** about { $job } of <@{ $user_id }>
case-held = **Held { $case_id }**: { $job } of <@{ $user_id }> is drawn, and shown once you agree. After a day it ends by itself.
case-appeal = **Appeal { $case_id }** of <@{ $user_id }> against a refusal
case-score = It was { $score } % sure.
case-appeal-hidden = **Appeal { $case_id }** of <@{ $user_id }> against a hidden picture, which nobody kept. If you allow the prompt once, the picture is drawn again and shown to you first.
case-appeal-gone = The refused prompt is not kept any more.
case-hit = Rule { $rule } of { $whose ->
        [server] this server
       *[owner] the owner, whom Easel told
    } (“{ $word }”) found “{ $part }” ({ $how }).
case-prompt = Prompt: ||{ $prompt }||
case-reporter = - <@{ $reporter_id }>: { $reason }{ $note ->
        [none] {""}
       *[other] {" "}(“{ $note }”)
    }
case-warnings = { $count ->
        [one] The author was warned once in the last 30 days.
       *[other] The author was warned { $count } times in the last 30 days.
    }
case-veiled = Behind a spoiler until somebody decides, since three members reported it.
case-decided-keep = Nothing wrong, says <@{ $actor_id }> ({ $when }).
case-decided-spoiler = Put behind a spoiler by <@{ $actor_id }> ({ $when }).
case-decided-remove = Removed by <@{ $actor_id }> ({ $when }).
case-decided-allow-once = Allowed once by <@{ $actor_id }> ({ $when }).
case-decided-except = Exception added by <@{ $actor_id }> ({ $when }).
case-decided-show = Shown, says <@{ $actor_id }> ({ $when }).
case-decided-refuse = Not shown, says <@{ $actor_id }> ({ $when }).
case-decided-expired = Ended without a decision ({ $when }).
case-upheld = The refusal stays, says <@{ $actor_id }> ({ $when }).
button-case-keep = Nothing wrong
button-case-spoiler = Spoiler
button-case-remove = Remove
button-case-allow-once = Allow this prompt once
button-case-except = Add as exception
button-case-uphold = Keep the refusal
button-case-show = Show it
button-case-refuse = Do not show it
button-case-block-picture = Block this picture
button-case-block = Block…
button-case-warn = Warn the author
button-case-pause-1h = Pause 1 h
button-case-pause-1d = Pause 1 day
review-head = { $count ->
        [0] Nothing waits for a decision.
        [one] **One case waits for a decision.**
       *[other] **{ $count } cases wait for a decision.**
    }
review-decided-keep = Case { $case_id }: nothing wrong.
review-decided-spoiler = Case { $case_id }: behind a spoiler.
review-decided-remove = Case { $case_id }: removed.
review-settled = Case { $case_id } is decided.
block-title = Block a member
block-why = Why
block-how-long = For how long
exception-title = Add an exception
exception-word = Words that are allowed
exception-hint = The rule no longer finds its word in these. Name more than the word itself: star fruit.
refused-not-moderator = Only members who may manage messages decide here.
refused-case-decided = Somebody decided this already.
refused-no-look = Easel does not know what this picture looks like. Block it with /admin pictures block.
block-reason = Case { $case_id }
refused-case-gone = This case is not there any more.
refused-case-unapplied = Discord does not let Easel change that message now, so nothing was decided. Check Easel's permissions in that channel, then try again.

## A part of a picture, and what lies around it
region-title = Change a part
region-where = Where
region-prompt = Change into
region-strength = How much
region-subtle = subtle
region-medium = medium
region-strong = strong
region-words = Or what
region-words-hint = What is to change, in English: the hat. It says where in place of the boxes.
region-copy = My painted copy
region-copy-hint = The saved picture, with paint over what changes. It says where in place of the boxes.
region-look = The picture; the part that changes is tinted
region-question = **The tinted part changes into** { $prompt }{ $more ->
        [0] {""}
        [one] {" "}and one more prompt
       *[other] {" "}and { $more } more prompts
    }
region-kept = Kept everything outside of the marked part exactly as it was.
redraw-price = It costs { $price }; you have { $left } left.
redraw-price-unlimited = It costs { $price }.
cell-0 = top left
cell-1 = top
cell-2 = top right
cell-3 = left
cell-4 = middle
cell-5 = right
cell-6 = bottom left
cell-7 = bottom
cell-8 = bottom right
zoom-title = Zoom out
zoom-out = How far
zoom-factor = ×{ $factor }
zoom-prompt = Prompt
pan-question = **On which side does the picture go on?** Each press starts a job.
notice-words-unused = The painted copy says where, so the words have no effect.
notice-cells-unnamed = The words say where, so the ticked boxes have no effect.
notice-cells-unused = The painted copy says where, so the ticked boxes have no effect.

## Facts about one run
notice-word = “{ $word }” is not welcome here (rule { $rule }{ $reason ->
        [none] {""}
       *[other] : { $reason }
    }).
notice-review = A moderator looks at it first, because of “{ $word }” (rule { $rule }{ $reason ->
        [none] {""}
       *[other] : { $reason }
    }).
notice-clamped = { $option } { $given } → { $used }, the limit here.
notice-advice-negative = At CFG { $cfg } a negative prompt has no effect; above 1 it has.
notice-advice-cfg-low = At CFG { $cfg } a picture seldom follows its prompt; from 3 on it does.
notice-advice-cfg-high = At CFG { $cfg } colors often burn and forms break; 15 is plenty.
notice-advice-steps-few = Fewer than 8 steps seldom finish a picture; { $usual } are usual here.
notice-advice-steps-many = More than 50 steps change little; { $usual } are usual here.
notice-alike = { $model } draws this alike from every seed. Name a color, a size, a place or a number to get another picture.
notice-words-unknown = { $model } does not know { $count ->
        [one] the word “{ $words }”
       *[other] words such as “{ $words }”
    }. It knows { $known } and more: see `/help Words`.
notice-words-none = { $model } knows no word of this prompt. It knows { $known } and more: see `/help Words`.
notice-unknown-options = { $options } is no option here and was left out.
notice-unknown-options-many = { $options } are no options here and were left out.
notice-habit-stylize = { $options }: Easel adds no style of its own to your words. `--cfg` says how closely a picture follows them, and `style` chooses a style.
notice-habit-variety = { $options }: each picture of a job has a seed of its own, so they differ as much as they can. V draws ones that are closer to each other.
notice-habit-tile = { $options }: no model here draws seamless tiles, so the edges of this picture do not meet.
notice-habit-version = { $options }: versions are models here. `--model` chooses one, and `/help Models` lists them.
notice-habit-speed = { $options }: speed and quality are the number of steps here. `--steps 10` is quick, `--steps 40` is thorough.
notice-habit-repeat = { $options }: 🔁 asks again with another seed, and `--images` draws several at once.
notice-habit-personal = { $options }: Easel learns no taste. `/settings` keeps your own defaults.
notice-habit-weight = { $options }: the weight of an attached picture is `--strength` here.
notice-habit-motion = { $options }: what you ask for here is a picture, which stands still.
notice-words-stayed = The words behind { $option } stayed in the prompt: “{ $words }”.
notice-option-empty = There was nothing behind { $option }, so it was left out.
notice-option-unused = { $model } does not use { $option }, so it was left out.
notice-options-overruled = { $count ->
        [one] { $options } was left out, since another value was given for it too.
       *[other] { $options } were left out, since other values were given for them too.
    }
notice-size = size { $given } → { size }, the limit here.
notice-size-own = This model chooses the size itself, after the picture: it drew { $size }.
notice-shape = The shape { $given } is out of reach here; the nearest is { size }.
notice-chances = Chances such as “2::” choose one variant elsewhere; here each of them is drawn once.
notice-addresses = A link is never opened, so { $count ->
        [one] this address was left out: { $words }. Attach the picture
       *[other] these addresses were left out: { $words }. Attach a picture
    } as the option “image” instead.
notice-weights-avoided = What has a weight below zero went into the negative prompt: { $words }.
notice-weights-unread = { $count ->
        [one] This weight was not read: { $words }.
       *[other] These weights were not read: { $words }.
    } Where a model weighs words, write (red apple:1.3).
notice-signs-unread = { $count ->
        [one] This means something in other programs and is only words here: { $words }.
       *[other] These mean something in other programs and are only words here: { $words }.
    }
notice-and = { $model } takes one prompt at a time, so “AND” is read as “and”: the parts are drawn as one prompt, not on top of each other.
notice-sum-avoided =
    { $count ->
        [one] The minus of this sum leaves too little to draw, so it went into the negative prompt: { $words }.
       *[other] The minuses of this sum leave too little to draw, so they went into the negative prompt: { $words }.
    }
notice-concepts = Each of the { $count } prompts around AND guides the picture by itself, so a step takes about { $percent } % longer.
notice-german = { $model } knows English alone, so your German was put into English word by word: “{ $words }”.
notice-reduced = The files were made smaller to fit Discord; 📩 sends them as they were drawn.
notice-more = And { $count } more notes.
notice-words-hidden = Automatic moderation takes no message with this prompt here, so it is not shown; ℹ️ has it.
notice-handed-over = The pictures could not be shown where they were asked for, so they were sent in a direct message.
notice-veiled = { $count ->
    [one] A picture is behind a spoiler, because the image check calls it suggestive or sexual.
   *[other] { $count } pictures are behind a spoiler, because the image check calls them suggestive or sexual.
}
veiled-by-reports = Behind a spoiler because several members reported it. Moderators will look at it.
veiled-by-moderator = Behind a spoiler because moderators decided so.
notice-flagged = { $count } of { $asked } pictures were hidden by the safety filter and are not charged.
notice-rated = { $rating ->
        [blocked] It looks like a picture that is blocked here.
        [sexual] The safety filter took it for sexual.
       *[suggestive] The safety filter took it for suggestive.
    }
notice-looked-at = Moderators look at it before it is shown, since you appealed.
notice-references-padded = { $count ->
        [one] A reference that was no square got borders
       *[other] { $count } references that were no squares got borders
    } in the mean color of its picture, so that nothing is cut off.
notice-prompt-cut = The end of the prompt did not fit the model and was not read: “{ $text }”.
notice-tags-ignored = There are no such additions here, so they were left out: { $tags }.
notice-tags-elsewhere = Another program draws { $model } and has no styles of this one, so these tags were left out: { $tags }.
notice-lora-unknown = There is no style called “{ $name }” here, so it was left out.{ $near ->
        [none] {""}
       *[other] {" "}Similar names: { $near }.
    }
notice-lora-unfit = The style “{ $name }” does not fit this model, so it was left out: { $reason }.
notice-lora-broken = The file of the style “{ $name }” is broken, so it was left out; the owner finds the reason in the log.
notice-lora-unusable = The style “{ $name }” cannot be used, so it was left out: its file is { $kind }, not a plain LoRA.
notice-lora-is-embedding = “{ $name }” is an embedding, not a LoRA, so its tag was left out. Type { $tag } instead.
notice-style-numbers = The file of the style “{ $name }” holds broken numbers, so it was left out; the owner can download it again.
notice-embedding-unknown = There is no embedding called “{ $name }” here, so it was left out.{ $near ->
        [none] {""}
       *[other] {" "}Similar names: { $near }.
    }
notice-embedding-family = The embedding “{ $name }” is made for another kind of model than { $model }, so it was left out.
notice-embedding-unfit = The embedding “{ $name }” does not fit this model, so it was left out: { $reason }.
notice-embedding-is-lora = “{ $name }” is a LoRA, not an embedding, so it was left out. Type { $tag } instead.
notice-lora-clamped = Weights of styles go from -{ $limit } to { $limit } and were moved there: { $tags }.
notice-loras-many = A prompt uses up to { $limit } styles; these were left out: { $names }.
notice-negative-cut = The end of the negative prompt did not fit the model and was not read: “{ $text }”.
notice-brackets-are-text = This model reads brackets and BREAK as text; they weigh nothing here.
notice-negative-unused = This model reads no negative prompt, so it was left out.
notice-first-frame = That file has several frames; the first one was taken.
notice-faces = { $count ->
        [0] No face of at least 48 pixels was found, so none was repaired.
        [one] Repaired one face with { $model }.
       *[other] Repaired { $count } faces with { $model }.
    }
notice-faces-sharp = { $count ->
        [one] One face larger than { $limit } pixels is sharp already and stayed as it was.
       *[other] { $count } faces larger than { $limit } pixels are sharp already and stayed as they were.
    }
notice-checked-later = The worker was busy or starting, so the safety filter sees your picture at the job’s start. Nothing is charged if it does not let it pass.
notice-first-picture = That message has several pictures; the first one was taken.
notice-transparent = The transparent parts of your picture became white.
notice-use-alone = “{ $option }” says what a picture is for. There was none, so it was left out.
notice-attach-reference = { $option } names an address, and a link is never opened. Attach the picture as the option “image”, and choose { $use } as its “use”.
notice-strength-unused = { $model } edits as the words say; a strength has no effect there and was left out.
notice-strength-alone = Strength is about a picture to start from. There was none, so it was left out.
notice-part-unread = { $options } is about a part of a picture and was left out. Press 🖌️, 🔍 or ↔️ below a picture to change a part of it.
notice-creative-size = The size follows from the picture and the scale, so the size in the prompt was left out.
notice-cut = Your picture has another shape than { size }, so { $percent } % of it were cut off at { $where ->
    [sides] its left and right
   *[ends] its top and bottom
}.

## Refusals: nothing was charged
refused-prompt-empty = There is no prompt. Say what you want to see, such as: a red apple.
refused-prompt-long = The prompt has { $length } characters; { $limit } is the limit here. Shorten it and send it again.
refused-negative-long = The negative prompt has { $length } characters; { $limit } is the limit here. Shorten it and send it again.
refused-model = There is no model called “{ $model }” here. Choose one of: { $known }.
refused-sampler = There is no sampler called “{ $sampler }” for this model. Choose one of: { $known }.
refused-style = There is no style called “{ $style }” here. Choose one of the suggestions, such as: { $known }.
refused-no-styles = There are no styles here. Ask the owner to offer some, or describe what you want in the prompt.
refused-seed = The seed { $seed } is out of range. Use a whole number from 0 to { $limit }, or leave it out.
refused-size = “{ $given }” is no size. Use square, portrait, landscape, wide, tall, or WIDTHxHEIGHT as the model draws it; usual here: { size }.
refused-ratio = “{ $value }” is no aspect ratio. Write it like this: --ar 16:9.
refused-option-empty = There is nothing behind { $option }. Write its value after it, or leave it out.
refused-typed-whole = “{ $value }” is no whole number for { $option }. Write it like this: --steps 30 --images 2 --seed 7.
refused-typed-number = “{ $value }” is no number for { $option }. Write it like this: --steps 30 --cfg 6 --seed 7.
refused-model-unavailable = The model “{ $model }” cannot be used right now. Choose another one; the owner finds the reason in the log.
refused-model-fetching = The model “{ $model }” is being downloaded; { $percent } % are here. Ask for it later, or choose another one now.
refused-worker-down = Nothing can be drawn right now: { $reason } Try again in a few minutes.
refused-blocked = { $until ->
        [never] You may not use Easel in this server.
       *[other] You may not use Easel in this server; that ends { $until }.
    }{ $reason ->
        [none] {""}
       *[other] {" "}The reason given: { $reason }
    }
    Ask an admin of the server if you think that is wrong.
refused-channel = Easel may not be used in this channel. Ask in one where it is allowed, or ask an admin to allow it here.
refused-word = { $whose ->
        [server] This server
       *[owner] This Easel
    } draws no pictures with “{ $word }” (rule { $rule }{ $reason ->
        [none] {""}
       *[other] : { $reason }
    }). Found: “{ $part }”. Nothing was charged.{ $until ->
        [none] {""}
       *[other] {" "}That was the fifth refusal within ten minutes. You can ask again { $until }.
    }
refused-paused = Rules of words refused you five times within ten minutes. You can ask again { $until }. Nothing was charged.
refused-hard = This cannot be drawn. Nothing was charged.{ $until ->
        [none] {""}
       *[other] {" "}That was the fifth refusal within ten minutes. You can ask again { $until }.
    }
refused-real-people = This Easel draws no sexual pictures of real people. Found: “{ $part }”. Nothing was charged.{ $until ->
        [none] {""}
       *[other] {" "}That was the fifth refusal within ten minutes. You can ask again { $until }.
    }
refused-hit-gone = What was refused here is not kept any more. Ask again with /imagine.
refused-appeal-again = Moderators have this refusal already. You are told what they decide.
refused-appeal-not-yours = Only the person who asked for this can appeal.
refused-appeal-none = There is no appeal against this.
refused-appeal-often = You appealed { $most } times within a day, which is the most. Tell a moderator if it is urgent.
refused-owners-rule = This is a rule of the owner of Easel. A server's moderators cannot loosen it.
refused-hidden = The safety filter hid that picture, or it is gone, so nothing is made from it. Ask for another one with /imagine.
refused-removed = Moderators removed these pictures, so nothing is made from them any more. Ask for another picture with /imagine.
refused-held = A moderator decides first whether these pictures are shown.
refused-report-place = Reports go to the moderators of a server that added Easel, and there are none here. Use “Report Message” of Discord in the same menu, or tell those who run this place.{ $contact ->
        [none] {""}
       *[other] {" "}Responsible for this Easel: { $contact }
    }
refused-report-nothing = That message has no finished picture of Easel, so there is nothing to report. For other messages, use “Report Message” of Discord.
refused-report-own = This picture is yours. Press 🗑️ to delete it.
refused-report-again = You reported this already. Once is enough: moderators see it until they decide.
refused-report-often = You reported { $most } pictures within a day, which is the most. Tell a moderator if it is urgent.
refused-report-reason = The form came without a reason. Open the menu of the message and report it again.
refused-prompt-changes-too-often = This prompt changes with nearly every step, in too many places to be checked. Write fewer changes. Nothing was charged.
refused-word-rule = There is no rule { $rule }; /admin words list shows the numbers.
refused-picture-number = There is no blocked picture { $number }; /admin pictures list shows the numbers.
refused-picture-blocks = A server blocks at most { $limit } pictures. Allow some again first.
refused-word-rules = A server has at most { $limit } rules and { $limit } exceptions. Remove some first.
refused-word-asterisk = An asterisk may stand only at the beginning and the end of a rule: cat, cat*, *cat or *cat*.
refused-word-empty = A rule needs a letter or a digit.
refused-word-short = A rule needs at least two letters, since one alone stands everywhere.
refused-word-long = A rule has at most 60 letters.
refused-word-file = Nothing was imported. In the file, { $mistake }
refused-word-file-bytes = Nothing was imported: the file is no text in UTF-8. Save it as UTF-8.
refused-word-file-size = Nothing was imported: a file has between one byte and { $limit } KiB.
refused-draining = Easel takes no new jobs in this server for now; what waits is still done. Try again later.
refused-quota = This costs { $price } and you have { $left } of { $limit } left. Your quota starts anew { $resets }.
refused-quota-too-big = This costs { $price }, and { $limit } is all that a period has. Ask for fewer images.
refused-pool = This costs { $price }, more than is left of what all members of this server may use together. It starts anew { $resets }.
refused-cooldown = That was quick. You can ask again { $until }.
refused-queued = You have { $count ->
        [one] one job
       *[other] { $count } jobs
    } waiting, the most that is allowed here. Cancel one or wait until one is done.
refused-shutting-down = Easel is about to restart. Try again in a minute.
refused-unsigned = The pictures must be signed here, and they could not be. Try again later; the owner finds the reason in the log.
refused-budget = What { $model } may cost in this month is used up, so nothing was drawn. Choose another model, or come back next month.
refused-space = The disk of Easel's host is nearly full, so no job is taken and nothing was charged. Try again later; the owner knows of it.
refused-storage = The request could not be saved, so it was not taken. Try again shortly; the owner finds the reason in the log.
refused-blanked-member = The words and the picture of this job were deleted, since its member wished it. Start a new one with `/imagine`.
refused-blanked-age = Easel keeps words and pictures only for some time here, and those of this job are gone. Start a new one with `/imagine`.
refused-blanked-server = Easel had left this server, and what it knew of this job is gone. Start a new one with `/imagine`.
refused-image-gone = That picture is not kept here any more, so nothing can be sent. Press 🔁 on its message to draw it anew.
refused-model-varies-not = { $model } draws from text alone and cannot vary a picture. Press 🔁 for another one, or ✏️ to change the prompt.
refused-varied-too-often = This picture is the end of { $count } variations, which is as far as they go. Vary an earlier one, or press 🔁.
refused-no-direct-message = Your direct messages are closed to Easel, so nothing was sent. Allow them in the privacy settings of this server, or save the picture from its message.
refused-not-yours-to-delete = Only the person who asked for this, or a member who may manage messages, can delete it.
refused-no-picture = That message has no picture. Choose one that has.
refused-picture-large = That file is larger than { $limit } MiB. Make the picture smaller, then try again.
refused-picture-format = That file cannot be read here. Send the picture as PNG, JPEG or WebP.
refused-picture-unreadable = That picture cannot be read; its file may be damaged or cut off. Send it again, as PNG, JPEG or WebP.
refused-picture-heic = That is a HEIC picture, as iPhones keep them, and it cannot be read here. Send it as JPEG or PNG.
refused-picture-pixels = That picture has more than { $limit } million pixels, the most that is read here. Make it smaller, then try again.
refused-picture-sides = A side of that picture is shorter than { $lowest } or longer than { $highest } pixels. Send one of another size.
refused-picture-ratio = That picture is more than { $limit } times as long as it is wide. Cut a part out of it and send that.
refused-picture-shape = The copy has another shape than the picture. Save the picture, paint over it without cutting it, and send it back.
refused-picture-unmarked = Nothing is painted on that copy. Paint over what you want to change, in a strong color, or tick the parts of the picture.
refused-upscale-picture = A side of that picture is longer than { $limit } pixels, the most that is made larger here. Make the picture smaller or cut a part out of it, then try again.
refused-upscale-scale = { $given } is no scale that is offered. Choose one of these: { $known }.
refused-upscale-result = The result would have { $width }×{ $height } pixels, more than the { $limit } million that are possible here. { $fitting ->
        [none] Make the picture smaller, then try again.
       *[other] Choose { $fitting } as the scale, or make the picture smaller.
    }
refused-creative-unknown = { $given } is no value of “creative”. Choose one of these: { $known }.
refused-creative-alone = A prompt has an effect only where details are drawn anew. Choose subtle or strong as “creative”, or leave the prompt out.
refused-creative-faces = With “creative”, the faces are drawn anew too. Leave out “creative” or “faces”.
refused-creative-prompt = The file of that picture holds no prompt. Say as “prompt” what the picture shows, so that its details can be drawn.
refused-creative-model = { $model } cannot draw an enlarged picture anew. These can: { $known }. Name one in the prompt, such as --model { $known }.
refused-creative-nowhere = No model here can draw an enlarged picture anew. Leave out “creative” to make it larger as it is.
refused-creative-size = { $model } cannot draw { $width }×{ $height } pixels. { $fitting ->
        [none] Send a picture of another size, or leave out “creative”.
       *[other] Choose { $fitting } as the scale, or leave out “creative”.
    }
refused-cutout-nowhere = Nothing that makes a background transparent is offered here. The owner of Easel can add it to the catalogue.
refused-upscale-nowhere = Nothing that makes pictures larger is offered here. The owner of Easel can add it to the catalogue.
refused-typed-picture = A picture is attached and not typed; a link is never opened. Leave { $option } out, and attach the picture as the option “image”.
refused-address = A link is never opened, and there was nothing else in the prompt. Say what you want to see; a picture to start from can be attached as the option “image”.
refused-image-model = { $model } cannot start from a picture. These can: { $known }.
refused-image-nowhere = No model here can start from a picture. Leave it out, and describe it in the prompt instead.
refused-picture-gone = That picture is not kept here any more. Press 🔁 on its message to draw one anew, then change that one.
refused-input-gone = A picture that this starts from is not kept here any more. Attach it again to a new /imagine.
refused-flagged-input = The safety filter does not let pass the picture that you gave. Nothing was charged, and it was not kept. Try another one.
refused-use-unknown = “{ $use }” is no use of a picture. Choose one for { $option }: { $known }.
refused-use-map = Only lines, scribble, depth and pose have ready-made maps. Leave out “map” after { $use }.
refused-use-network = { $model } has no “{ $network }” for { $use }. Choose one of these: { $known }.
refused-use-model = { $model } cannot { $use ->
        [style] draw in the style of a picture
        [subject] draw what a picture shows
        [face] draw the face of a picture
        [composition] arrange things as in a picture
        [lines] follow lines
        [scribble] follow a rough drawing
        [depth] follow what is near and far in a picture
        [pose] take a pose from a picture
       *[edit] change a picture as the prompt says
    }. These can: { $known }.
refused-use-nowhere = No model here can { $use ->
        [style] draw in the style of a picture
        [subject] draw what a picture shows
        [face] draw the face of a picture
        [composition] arrange things as in a picture
        [lines] follow lines
        [scribble] follow a rough drawing
        [depth] follow what is near and far in a picture
        [pose] take a pose from a picture
       *[edit] change a picture as the prompt says
    }. Choose another use, or leave the picture out and describe it in the prompt.
refused-two-starts = Drawing starts from one picture. { $known ->
        [none] { $model } has no other use for a second one, so leave one out.
       *[other] Choose another use for one of them: { $known }.
    }
refused-start-and-edit = A picture that is edited cannot be joined by one to start from. Choose edit for both, or leave one out.
refused-picture-model = { $model } changes pictures and draws none by itself: attach one as image. These draw from words alone: { $known }.
refused-picture-nowhere = { $model } changes pictures and draws none by itself: attach one as image.
refused-several-model = { $model } edits one picture at a time. These take several: { $known }.
refused-several-nowhere = No model here edits several pictures at once. Leave all but one out.
refused-mask-model = { $model } cannot draw a part of a picture anew. These can: { $known }.
refused-mask-nowhere = No model here can draw a part of a picture anew. Press ✏️ to change all of it.
refused-part-nowhere = No model here finds what words name. Tick boxes, or paint over a copy of the picture.
refused-part-later = The part could not be found just now. Try again shortly, or tick boxes.
refused-part-unseen = Nothing like “{ $words }” was found in the picture. Use other words, tick boxes, or paint over a copy.
refused-copy-use = A painted copy says which part of a picture to start from changes. Choose start for it, or leave the copy out.
refused-region-empty = Nothing is marked. Tick at least one part of the picture, or attach a copy that you painted on.
refused-region-gone = Nothing would be left of the part. Keep it as it is, or press another button.
refused-pan-long = { $model } makes this picture no longer. Zoom out instead, or pan to another side.
refused-no-parameters = That picture's file does not say how it was made. Many places remove it when a picture is uploaded.
refused-picture-forgotten = Easel no longer has the picture that you picked. Open the menu of its message again.
refused-unknown-job = This button belongs to a job that Easel no longer knows. Use /imagine to ask again.
refused-not-yours = Only the person who asked for this, or a member who may manage messages, can cancel it.
refused-no-pictures = This job has no pictures.
refused-already-over = This job is over already; there is nothing to cancel.
refused-words-blocked = Automatic moderation takes no answer with these words here. Try other words, or use Easel in its direct messages.
over-kept = This job is over: its pictures could not be shown here. /queue has them, and nothing was charged.
over-handed-over = This job is over: its pictures could not be shown here, so they were sent to you in a direct message.
over-moved = This job is over: { $job } shows what came of it.
your-prompt = -# Your prompt: { $prompt }
error-discord = Discord did not take the answer, so nothing came of this. Nothing was charged. Try again shortly.
error-unexpected = Something went wrong on our side. Nothing was charged. Try again; if it happens again, tell the owner the error { $error_id }.

## Prompts with several jobs
expansion-morph = Draw { $frames } pictures from “{ $start }” to “{ $end }”, as one animation?
expansion-hopeless = **What comes of this prompt will not look like it.** Draw it all the same?
expansion-question = **This prompt stands for { $count } jobs.** Start them?
expansion-prompt = { $number }. { $prompt }
expansion-more = … and { $count } more.
expansion-price = { $count ->
        [one] It costs { $price }
       *[other] Together they cost { $price }
    }; you have { $left } left.
expansion-price-unlimited = { $count ->
        [one] It costs { $price }.
       *[other] Together they cost { $price }.
    }
expansion-some = Right now { $count ->
        [one] only the first
       *[other] only the first { $count }
    } can start. For the next: { $sentence }
expansion-hint = -# Braces stand for several prompts. To stress words, write (round brackets); to keep a brace as it is, put a backslash before it.
expansion-started = { $count ->
        [one] The job is started and has a message of its own.
       *[other] { $count } jobs are started, each with a message of its own.
    }
expansion-started-some = { $count } of { $asked } jobs are started. The others are not, and cost nothing: { $sentence }
expansion-dismissed = Nothing was started, and nothing charged.
button-start = { $count ->
        [one] Draw it all the same
       *[other] Start { $count } jobs
    }
button-dismiss = Cancel
refused-concepts = This prompt has { $count } parts around AND, and { $limit } is the most. Join some of them with commas.
refused-sum-model = { $model } reads a prompt as one sentence, so it cannot add up words. Write it without the = at its beginning, or choose a model of the Stable Diffusion 1, 2 or XL family.
refused-sum-empty = This sum adds nothing that could be drawn. Begin it with what the picture shows: = a red apple - red + blue
refused-sum-long = This sum has { $count } terms, and { $limit } is the most. Leave some of them out.
refused-upscale-seed = { $model } cannot draw the same picture a second time, so this button cannot make it larger. /upscale makes any picture larger.
refused-morph-model = { $model } cannot draw between two prompts. These models can: { $known }.
refused-morph-several = Each end of a morph is one picture, but this prompt stands for several. Take its braces out.
refused-morph-concepts = Each end of a morph is drawn from one prompt. Join the parts around AND with commas.
refused-morph-styles = Both ends of a morph need the same styles. Write the same tags in both prompts, or none.
refused-morph-negative = A morph has one negative prompt for all of its pictures. Take what is to be avoided out of the last prompt, and use the negative option.
refused-morph-picture = A morph begins with a picture from words alone, and this one was made from another picture.
refused-morph-sampler = { $sampler } adds other noise in every step, so pictures of different seeds would jump. Take the same seed at both ends, or a sampler without “a” or “SDE” in its name.
refused-morph-options = A morph has the options of its first picture. Take them out of the last prompt.
refused-making-of-model = { $model } draws in one piece and shows no steps, so there is no making-of. Pictures of other models have one.
refused-too-many-prompts = This prompt stands for more than { $limit } jobs, which is the most here. Take some of its variants out, or put a backslash before each brace that stands for itself.
refused-expansion-started = These jobs were started already, as far as possible. This press started and charged nothing more. /queue shows the waiting ones.
refused-expansion-over = This question is no longer open; the press started and charged nothing. Ask again, with the command or button that opened it.
refused-expansion-price = Prices have changed since you were asked, so nothing was started. Ask again to see the new price.
refused-no-message = Discord takes no more messages of Easel here for now. Ask for the others with /imagine.
refused-template = “{ $sign }” means nothing here. Write out what it stands for, or put a backslash before its brace to keep it as it is; “{ $picks }” is two of three.
refused-wildcard = There is no list of words called “{ $name }” here. Take it out, or put a backslash before it to keep it as it is.
refused-wildcard-near = There is no list of words called “{ $name }” here. Did you mean { $near }? Else put a backslash before it to keep it as it is.
refused-wildcard-endless = The lists of words at “{ $name }” are too many for one prompt, or they name each other without an end. Take some out. Tell the owner if you used only one.
refused-wildcard-broken = The list of words “{ $name }” cannot be read. Take it out; the owner finds the reason in the log.

## Failures
failure-invalid-request = The model cannot do what was asked; try other options.
failure-unfit-sampler = The sampler does not fit this model. Choose another, or name none: then the model's usual one is taken.
failure-flagged-input = The safety filter does not let pass the picture that this job was given. Nothing was drawn, and the picture was deleted here. Try another one.
failure-model-unavailable = Files of the model, or of a network that it was to use, are missing or broken, so nothing could be drawn. Choose another model or other options; the owner finds the reason in the log.
failure-out-of-memory = This is too big for the GPU here. Try a smaller size or fewer images.
failure-broken-image = The picture fell apart into broken numbers. Try another seed, or a lower CFG.
failure-device-error = The GPU failed in the middle of the job. Try again shortly.
failure-worker-died = The worker ended in the middle of the job, twice. Try a smaller size; the owner finds the reason in the log.
failure-worker-hung = The worker stopped moving in the middle of the job, twice. Try again later.
failure-host-lost = The computers that drew this job were lost again and again. Try again later.
failure-engine-failed = The program that draws this model reported an error, so nothing was drawn. Try other options or another model; the owner finds the reason in the log.
failure-refused-elsewhere = The service that draws this model refused the prompt by rules of its own. Use other words, or another model.
failure-maybe-billed = The connection to the service that draws this model was lost. The picture may have been paid for there, so it is not drawn again by itself. Start the job again if you like.
failure-timeout = The job took longer than is allowed here and was ended. Try fewer steps or a smaller size.
failure-internal = Something went wrong on our side while drawing. Try again.
failure-storage = The pictures were drawn, but the disk of Easel's host took none of them for some minutes. Tell its owner to make room, then try again.
failure-unsigned = The pictures were drawn, but they could not be signed, and Easel shows no unsigned ones here. Nothing was charged. Try again later; the owner finds the reason in the log.
failure-delivery = The pictures were drawn, but Discord would not take them here. /queue has them.
failure-not-allowed = A moderator looked at it and does not show it here.
failure-not-reviewed = No moderator looked at it within a day, so it is not shown.
failure-message-gone = The message was deleted, so there was nowhere to show the pictures.
failure-not-permitted = Easel may not write here any more: a right is missing, or the thread is locked; an admin can change that. /queue has the pictures.
failure-too-large = The pictures are larger than Discord takes here. /queue has them; else try a smaller size or fewer images.
failure-input-gone = A picture that this job starts from is not kept here any more. Attach it again to a new /imagine.
failure-unanswered = Discord never showed that the job was taken.
failure-waited = The job waited longer than is allowed here. Try again later.

## Quota
quota-unlimited = You can draw as much as you like here.
quota-state = { $left } of { $limit } left { $period ->
        [hour] this hour
        [day] today
        [week] this week
       *[month] this month
    }.
quota-bonuses = Of these from bonuses, used first: { $bonuses }.
quota-bonus = { $left }
quota-bonus-ends = { $left } (ends { $ends })
quota-used = Used: { $used }.
quota-in-flight = In flight: { $in_flight }.
quota-resets = Starts anew { $resets }.
quota-price = One image with the default settings costs { $price }.
quota-obstacle = Right now: { $sentence }
period-hour = hour
period-day = day
period-week = week
period-month = month

## Grids
command-grid = One picture with other values of one or two options, side by side on a sheet
option-grid-x = What differs from column to column
option-grid-y = What differs from row to row
option-grid-values = Such as 1, 4, 7 or 1-10 (+3) or 1-30 [6]; * = all samplers; for words, the first is replaced
grid-question = **A grid of { $count ->
        [one] one picture
       *[other] { $count } pictures
    }.** Only what the axes name differs; they all have one seed.
grid-started = { $count ->
        [one] The picture is being drawn.
       *[other] The { $count } pictures are being drawn, some at a time.
    }
grid-head = **{ $prompt }**
    -# A grid for <@{ $requester_id }>
alt-grid = A grid of “{ $prompt }”: { $axes }
grid-drawn = { $drawn } of { $count } drawn.
grid-failed = { $count ->
        [one] One could not be drawn, and costs nothing.
       *[other] { $count } could not be drawn, and cost nothing.
    }
grid-cancelled = The rest was cancelled, and costs nothing.
grid-take = Take out a picture…
grid-taken = This picture has a message of its own already: { $job }.
grid-cell-waits = waits
grid-cell-failed = failed
grid-cell-cancelled = cancelled
refused-grid-axis = An axis needs a name and values. Choose one of { $known }, and write its values as 1, 4, 7.
refused-grid-empty = There is no value for { $axis }. Write some, such as 1, 4, 7.
refused-grid-number = “{ $value }” is no number or range for { $axis }. Write 1, 4, 7 or 1-10 (+3) or 1-30 [6].
refused-grid-many = That makes { $count } pictures, and a grid has at most { $most }. Write fewer values.
refused-grid-twice = Both axes are { $axis }. Choose another one for y, or leave it out.
refused-grid-words = “{ $words }” is not in the prompt, so nothing can take its place. Write it as it stands there.
refused-grid-style = The axis style changes the weight of a LoRA. Choose one as the option style.
refused-grid-prompts = A grid has one prompt, and this one stands for several. Write the words as the axis words instead of braces.
refused-grid-images = This model draws several pictures at once, so it draws no grid. Choose another model.
refused-grid-price = The { $count } pictures cost { $price }, and you have { $left } left. Write fewer values.
refused-sheet-over = This grid is no longer kept as a whole. Its pictures are in /history.

## Finished pictures of a member
command-history = Your finished pictures: by words, model or date, with their buttons
command-favourites = The pictures that you starred, with their buttons
option-history-words = Words that the prompt has
option-history-model = The model that made them
option-history-since = The first day, such as 2026-11-29, or a month, such as 2026-11
option-history-until = The last day, such as 2026-11-29, or a month, such as 2026-11
option-history-starred = Only those that you starred
choice-days-ago = { $count ->
        [0] Today ({ $day })
        [1] Yesterday ({ $day })
       *[other] { $count } days ago ({ $day })
    }
history-head = **Your pictures**
history-head-favourites = **Your favourites**
history-words = with “{ $words }”
history-since = from { $day }
history-until = until { $day }
history-line = **{ $number }** · { $job } { $prompt }
    -# { $model } · { $day }{ $star }
history-open = Open { $number }
history-newer = ◀ Newer
history-older = Older ▶
history-zip = 📦 ZIP
history-adults = Pictures of age-restricted channels are shown only in such channels and in direct messages.
history-nothing = No finished picture of yours is kept here. Use /imagine to ask for one.
history-nothing-starred = You starred no picture that is kept here. Press ⭐ below one to keep it.
history-nothing-fits = No picture fits. Look for fewer words, another model or more days.
history-zip-sent = { $count ->
        [one] Here is the picture of this search.
       *[other] Here are { $count } pictures of this search, the newest first.
    }
history-zip-cut = Discord takes no larger file. For the older ones, search with `until:{ $day }` and press 📦 again.
history-zip-large = { $count ->
        [one] One picture is too large for any file here. 📩 in its message sends it.
       *[other] { $count } pictures are too large for any file here. 📩 in their messages sends them.
    }
refused-history-page = Easel no longer knows this page. Use /history again.
refused-history-empty = None of these pictures is kept any more. Use /history again.
refused-history-large = Each of these pictures is too large for a file here. 📩 in a picture's message sends it.
refused-history-adults = This picture was made in an age-restricted channel. Use /history there, or in a direct message to Easel.
refused-history-words = These words are too long. Search for at most { $most } characters; emoji count twice.
refused-history-days = { $since } comes after { $until }, so no day is left. Exchange them.
refused-no-day = “{ $words }” is no day that Easel can read. Write one as 2026-11-29, or a month as 2026-11.
refused-not-deleted = Easel may not delete the message of { $job } from here, so nothing was deleted. Press 🗑️ below that message.

## The member's own queue
command-queue = Your jobs, when they are due, and a way to cancel them
queue-mine = **Your jobs in line**
queue-mine-empty = You have no jobs in line. Use /imagine to ask for a picture.
queue-job = { $job } { $prompt }
    -# { $state }
queue-kept = Drawn, but it could not be shown. Nothing was charged.
queue-running = Being drawn now.
queue-cancelling = Being cancelled.
queue-cancelled = Job { $job_id } is cancelled. Nothing was charged.
queue-more = And { $count } more, which start after these.
queue-server = -# In this server: { $queued } waiting, { $running } running.
queue-state = -# { $state ->
        [paused] The queue of this server is paused; jobs start when an admin resumes it.
       *[draining] This server takes no new jobs for now; what waits is still done.
    }
job-number = #{ $job_id }
job-number-image = #{ $job_id }, image { $number }

## Admins: commands
command-admin = What those who manage this server decide
command-admin-quota = What members may use
command-admin-quota-set = Set how much a member, a role, or everybody may use
command-admin-quota-pool = Set how much all members together may use
command-admin-quota-grant = Give a member a bonus
command-admin-quota-reset = Give back what a member used in this period
command-admin-quota-show = What a member has left, and their newest entries
command-admin-quota-report = A chart and a table of what was used
command-admin-block = Let a member ask for nothing
command-admin-unblock = Let a blocked member ask again
command-admin-warn = Warn a member; it counts for 30 days and is told once
command-admin-pause = Let a member ask for nothing for a while
command-admin-channel = Where Easel may be used, and its defaults there
command-admin-words = Words that pictures may not be asked for with
command-admin-pictures = The pictures that this server blocks
command-admin-pictures-block = Block a picture: nothing like it is shown here or drawn from
command-admin-pictures-unblock = Allow a picture again
command-admin-pictures-list = Show the numbers and reasons of blocked pictures
command-admin-words-add = Add a rule, or change the one with this word
command-admin-words-remove = Remove a rule
command-admin-words-list = The rules and exceptions of this server
command-admin-words-except = Allow a word or phrase although a rule of this server finds its word in it; again removes it
command-admin-words-import = Add the rules of a file
command-admin-words-test = What the rules find in a prompt; draws nothing
command-admin-queue = What waits and runs; pause, resume, drain or cancel
command-admin-status = How Easel is doing
command-admin-audit = Who decided what, newest first
command-admin-review = Reports, appeals and held pictures that nobody decided yet
option-admin-amount = A whole number, “unlimited”, or “default” to take the rule away
option-admin-period = How often it starts anew
option-admin-quota-user = Only for this member
option-admin-quota-role = Only for members with this role
option-admin-user = The member
option-admin-grant-amount = How much, used before their quota
option-admin-expires = When it ends, such as 12h, 7d or 2w; without it, never
option-admin-reason = Why; shown in the audit log
option-admin-picture = The picture; copies that look like it are found too
option-admin-picture-reason = Why; admins read it
option-admin-picture-number = Number of the picture, as /admin pictures list shows it
option-admin-word = cat; cat* begins so, *cat ends so, *cat* contains it; or a phrase
option-admin-word-action = Refuse the request, draw it and tell the member, or ask a moderator before it is shown
option-admin-word-reason = Why; members read it
option-admin-word-kind = Where in a word it is found, in place of asterisks
option-admin-word-rule = Number of the rule, as /admin words list shows it
option-admin-word-exception = The word or phrase
option-admin-word-file = A plain text with a rule a line, or a .toml file
option-admin-word-prompt = The prompt
choice-word-refuse = refuse
choice-word-warn = warn
choice-word-review = review: drawn, and shown once a moderator agrees
choice-word-whole = the whole word
choice-word-begins = words that begin so
choice-word-ends = words that end so
choice-word-contains = words that contain it
option-admin-reason-notified = Why; the member reads it too
option-admin-for = How long, such as 12h, 2d or 1w; without it, for good
option-admin-pause-for = How long, such as 1h, 12h or 2d
option-admin-use = Allow or forbid Easel there; without it, the rules are listed
option-admin-channel = Which channel; without it, this one
option-admin-everywhere = Set these defaults and content for the whole server, where channel or member has none
option-admin-reports = Where moderators read reports, appeals and held pictures; the same again takes it back
option-admin-showcase-channel = The channel; the same again ends the showcase
option-admin-showcase-stars = How many other members must star a picture; usually 3
command-admin-showcase = Shows pictures that members star in a channel, if whoever drew them agrees
option-admin-content = Which pictures are shown there, also in its threads
option-admin-default = Used there when somebody does not name { $option ->
        [model] a model
        [size] a size
        [steps] the steps
        [cfg] the CFG
        [sampler] a sampler
        [images] how many images
       *[negative] what to avoid
    }
option-admin-action = What to do; without it, the queue is shown
option-admin-cancel = The number of a job to cancel
option-admin-days = How many days, today included
choice-allow = Allow
choice-forbid = Forbid
choice-default = Default: take its rule and its defaults away
choice-content-strict = strict: only harmless pictures, also among adults
choice-content-usual = usual
choice-show = Show
choice-pause = Pause: take jobs, start none
choice-resume = Resume: as usual
choice-drain = Drain: take no jobs, finish those that wait

## Admins: refusals
refused-not-admin = This command is for those who may manage the server. Ask one of them.
refused-user-and-role = That names both a member and a role. Choose one of them, or neither to set it for everybody.
refused-amount = “{ $value }” is no amount. Use a whole number from 0 to { $limit }, “unlimited”, or “default” to take the rule away.
refused-duration = “{ $value }” is no duration. Write it like 12h, 7d or 2w; ten years is the most.
refused-bot = Bots cannot ask Easel for anything. Choose a person.
refused-everywhere = Defaults of the whole server cannot be set together with a channel, nor with allow or forbid. Leave those out, or leave out “everywhere”.
refused-reports-channel = Easel may not write in that channel. Let it see the channel and send messages there, then set it again.
refused-showcase-channel = Easel may not write in that channel. Let it see the channel and send messages there, then set it again.
refused-one-at-a-time = That asks for two things at once. Cancel a job first, then change the queue.
refused-no-such-job = There is no job { $job_id } in this server. The number is at the start of each line of /admin queue.

## Admins: quota
admin-rule = { $amount ->
        [none] no limit
       *[other] { $amount } { $period ->
            [hour] an hour
            [day] a day
            [week] a week
           *[month] a month
        }
    }
admin-rule-set = { $subject ->
        [user] <@{ $id }> has { $rule ->
            [none] no rule of their own any more; that of their roles or of the server holds.
           *[other] a rule of their own now: { $rule }.
        }
        [role] Members with <@&{ $id }> have { $rule ->
            [none] no rule of that role any more; the server's holds.
           *[other] a rule now: { $rule }. Who has several such roles gets the best of them.
        }
        [pool] All members together have { $rule ->
            [none] no rule any more; only that of each member holds.
           *[other] a rule now: { $rule }.
        }
       *[server] The server has { $rule ->
            [none] no rule of its own any more; the host's default holds.
           *[other] a rule now: { $rule } for each member.
        }
    }
admin-granted = <@{ $user_id }> has a bonus of { $amount }, used before their quota. { $ends ->
        [none] It does not end.
       *[other] It ends { $ends }.
    }
admin-reset = { $units ->
        [0] <@{ $user_id }> had used nothing in this period, so nothing was given back.
       *[other] <@{ $user_id }> got back { $units }, all that was used in this period.
    }
admin-show-rule = <@{ $user_id }> may use { $rule }, by { $source ->
        [user] a rule of their own.
        [role] the rule of <@&{ $role_id }>.
        [server] the server's rule.
       *[host] the host's default.
    }
admin-show-left = { $left } left, { $used } used, { $in_flight } in flight. Starts anew { $resets }.
admin-show-unlimited = { $used } used, { $in_flight } in flight.
admin-show-bonus = { $ends ->
        [none] Bonus: { $left } left, without an end.
       *[other] Bonus: { $left } left, ends { $ends }.
    }
admin-show-obstacle = They cannot ask here right now: { $obstacle ->
        [blocked] they are blocked.
        [channel] Easel may not be used in this channel.
        [draining] the queue takes no new jobs.
        [cooldown] they asked a moment ago.
        [queued] they have as many jobs waiting as they may.
        [pool] all members together have used up what they may.
       *[quota] their quota is used up.
    }
admin-show-entries = **Newest entries**
admin-show-no-entries = There are no entries yet.
admin-entry = { $when } { $kind ->
        [reserve] job { $job_id }: { $reserved } reserved
        [settle] job { $job_id }: { $captured } charged, { $released } given back
        [grant] bonus of { $granted } from <@{ $actor_id }>
       *[adjust] { $returned } given back by <@{ $actor_id }>
    }
admin-reason = (“{ $reason }”)
admin-more = And { $count } more.

## Admins: members and channels
admin-blocked = { $ends ->
        [none] <@{ $user_id }> may ask for nothing any more in this server.
       *[other] <@{ $user_id }> may ask for nothing in this server; that ends { $ends }.
    }
admin-blocked-jobs = { $count ->
        [one] Their job under way is cancelled.
       *[other] Their { $count } jobs under way are cancelled.
    }
admin-notified = They were told.
admin-not-notified = They could not be told, since they take no direct messages from here.
blocked-notice = { $ends ->
        [none] You may not use Easel in { $server } any more.
       *[other] You may not use Easel in { $server } for now; that ends { $ends }.
    }{ $reason ->
        [none] {""}
       *[other] {" "}The reason given: { $reason }
    }
    Ask an admin of the server if you think that is wrong.
admin-warned = <@{ $user_id }> is warned. The warning counts for 30 days.
warned-notice = A moderator of { $server } warned you: { $reason }
    The warning counts for 30 days.
warning-reason = your picture { $job } does not fit the rules of the server.
warning-reason-words = your prompt does not fit the rules of the server.
admin-reports-set = Members' reports are shown in <#{ $channel_id }>.
admin-reports-none = No channel shows members' reports any more. /admin review lists them.
admin-showcase-set = { $stars ->
    [one] <#{ $channel_id }> shows each picture that another member stars, if whoever drew it agrees.
   *[other] <#{ $channel_id }> shows each picture that { $stars } other members star, if whoever drew it agrees.
}
admin-showcase-none = The showcase has ended. What it shows stays.
admin-unblocked = <@{ $user_id }> may ask again.
admin-not-blocked = <@{ $user_id }> is not blocked; there is nothing to take back.
admin-channel-set = Set. { $rule }
admin-channel-cleared = <#{ $channel_id }> has no rule and no defaults any more.
admin-channels = { $default ->
        [everywhere] Easel may be used in every channel.
        [only-allowed] Easel may be used only where it is allowed:
       *[elsewhere] Easel may be used in every channel but these:
    }
admin-channel-row = <#{ $channel_id }>: { $use ->
        [allowed] allowed
        [forbidden] forbidden
       *[none] as everywhere
    }{ $defaults ->
        [none] {""}
       *[other] ; defaults: { $defaults }
    }{ $content ->
        [strict] ; only harmless pictures
        [usual] ; pictures as usual
       *[none] {""}
    }
admin-server-cleared = The whole server has no rule for pictures and no defaults any more.
admin-server-row = Whole server: { $content ->
        [strict] only harmless pictures
       *[other] pictures as usual
    }{ $defaults ->
        [none] {""}
       *[other] ; defaults: { $defaults }
    }
preference-negative_prompt = without
preference-guidance_scale = CFG
preference-num_inference_steps = steps
preference-size = size
preference-scheduler_name = sampler
preference-num_images = images
preference-model_key = model

## Admins: queue, status, audit
admin-queue-set = { $state ->
        [paused] The queue is paused: jobs are taken, and start when it is resumed.
        [draining] The queue is draining: no new jobs are taken, and those that wait are done.
       *[open] The queue is open: jobs are taken and start.
    }
admin-queue-state = { admin-queue-set }
admin-queue-counts = { $queued } waiting, { $running } running.
admin-queue-oldest = The oldest waits since { $since }.
admin-queue-running = { $job } for <@{ $user_id }>, started { $since }
admin-cancelled = Job { $job_id } of <@{ $user_id }> is cancelled. Nothing was charged.
status-worker = The worker is { $state ->
        [starting] starting.
        [ready] { $phase ->
            [loading] ready, and loads a model.
            [running] ready, and draws.
           *[idle] ready, and idle.
        }
        [restarting] being started again.
        [unusable] not able to work; the owner must mend it.
       *[stopped] stopped.
    }
status-host = Host { $name }: { $state ->
    [expected] not heard yet
    [away] away
    [starting] starting
    [unusable] not usable; see the log
    [draining] takes no more jobs
    [resting] rests, since it failed or lagged; see the log
    [drawing] drawing { $running } of { $capacity }
   *[ready] ready
}{ $device ->
    [none] {""}
   *[other] {" "}({ $device })
}
status-more-hosts = { $count } more hosts; `easel hosts list` names all.
status-models = Models: { $models }
status-no-model = none
status-missing = Missing: { $models }
status-device = Device: { $name } ({ $device }, { $dtype }{ $vram ->
        [none] {""}
       *[other] , { $vram } GiB
    })
status-memory = Memory of the worker: { $gib } GiB
status-money = Services this month: { $spent } of { $budget }
status-queue = In this server: { $queued } waiting, { $running } running.
status-failures = In the last hour: { $failed } of { $ended } jobs failed.
status-quiet = In the last hour no job ended.
status-waits = Waited for the start: half at most { $p50 }, 95 % at most { $p95 }.
status-other = **A second Easel runs with the same bot token**: it took { $count ->
        [one] one request
       *[other] { $count } requests
    } in place of this one, the last { $last }. This Easel gives such requests back. The owner should end one of them, or give it a bot of its own.
status-unsigned = ⚠️ { $count } pictures went out unsigned since the start; the log says why.
status-storage = **The disk takes nothing** since { $since }: no picture can be kept, and no job starts. Make room on Easel's host. Its log has the reason.
status-space = **The disk is nearly full** since { $since }: no job is accepted. Make room on Easel's host, or lower `storage.min_free_gb`.
status-version = Easel { $version }, worker restarts: { $restarts }
duration-seconds = { $seconds } s
duration-minutes = { $minutes } min { $seconds } s
admin-audit-empty = Nothing was decided here yet.
words-added = Rule { $rule }: “{ $word }” { $action ->
        [review] is drawn, and shown once a moderator agrees.
        [warn] is drawn, and the member is told.
       *[refuse] is refused.
    }
words-removed = Rule { $rule } (“{ $word }”) is removed.
words-excepted = { $is_there ->
        [yes] “{ $word }” is allowed now, although a rule of this server finds its word in it.
       *[no] “{ $word }” is no exception any more.
    }
words-imported = Added: { $rules ->
        [one] one rule
       *[other] { $rules } rules
    }, { $exceptions ->
        [one] one exception
       *[other] { $exceptions } exceptions
    }.
picture-blocked = Picture { $number } is blocked: nothing that looks like it is shown on this server, and nothing is drawn from it. What stands in older messages stays.
picture-unblocked = Picture { $number } is allowed again.
pictures-none = This server blocks no pictures.
picture-line = { $number }. blocked { $when }{ $reason ->
        [none] {""}
       *[other] : { $reason }
    }
words-none = This server has no rules of words.
words-rule = { $rule }. “{ $word }”: { $action ->
        [review] review
        [warn] warn
       *[refuse] refuse
    }{ $reason ->
        [none] {""}
       *[other] , { $reason }
    }
words-exception = Allowed: “{ $word }”
words-hit = “{ $part }” is read as “{ $word }” ({ $how }), rule { $rule } of { $whose ->
        [server] this server
       *[owner] the owner
    }: { $action ->
        [allow] allowed by the exception “{ $exception }”.
        [review] drawn, and shown once a moderator agrees.
        [warn] drawn, and the member is told.
       *[refuse] refused.
    }
words-list = The list “{ $list }” has the line “{ $line }”, in which rule { $rule } of { $whose ->
        [server] this server
       *[owner] the owner
    } finds “{ $word }”.
words-no-hit = No rule finds anything in it.
how-plain = as written
how-looks = look-alike characters
how-sounds = letters of another script
how-signs = signs for letters
how-inside = signs inside the word
how-hidden = a sign that hides a letter
how-repeated = repeated letters
how-apart = letters apart
how-turned = letters upside down
how-language = the prompt language
admin-audit-row = { $when } <@{ $actor_id }> { $action ->
        [quota-set] set the quota of { $subject ->
            [server] the server
            [pool] all together
           *[other] { $subject }
        }: { $detail }
        [quota-grant] gave { $subject } a bonus of { $detail }
        [quota-adjust] changed what { $subject } used: { $detail }
        [block] blocked { $subject } { $detail }
        [unblock] unblocked { $subject }
        [channel] set { $subject ->
            [server] the server
           *[other] { $subject }
        } to { $detail }
        [queue] set the queue to { $detail }
        [hard-rule] asked for what the hard rule forbids ({ $detail })
        [reports-channel] set the channel for reports to { $subject }
        [case-veil] put job { $detail } of { $subject } behind a spoiler after three reports
        [case-keep] found nothing wrong with job { $detail } of { $subject }
        [case-spoiler] put job { $detail } of { $subject } behind a spoiler
        [case-remove] removed job { $detail } of { $subject }
        [warn] warned { $subject }
        [appeal-keep] kept a refusal of { $subject } (case { $detail })
        [appeal-allow-once] allowed a refused prompt of { $subject } once (case { $detail })
        [appeal-except] made an exception after an appeal of { $subject } (case { $detail })
        [case-show] let job { $detail } of { $subject } be shown
        [case-refuse] did not let job { $detail } of { $subject } be shown
        [words-add] added the rule “{ $subject }” ({ $detail })
        [words-remove] removed the rule “{ $subject }”
        [words-except] { $detail } the exception “{ $subject }”
        [words-import] imported { $detail } rules and exceptions
        [picture-block] blocked a picture, number { $subject }
        [picture-unblock] allowed picture { $subject } again
        [cancel] cancelled job { $detail } of { $subject }
       *[other] { $action } { $subject } { $detail }
    }

## Admins: report
report-summary = { $days ->
        [1] Today:
       *[other] The last { $days } days:
    } { $units } used by { $members ->
        [1] one member
       *[other] { $members } members
    } in { $jobs ->
        [1] one job.
       *[other] { $jobs } jobs.
    }
report-summary-empty = { $days ->
        [1] Nothing was used today.
       *[other] Nothing was used in the last { $days } days.
    }
report-by-day = Used each day, by model
report-by-user = Used by member
report-nothing = Nothing was used
report-others = others
report-member = member …{ $digits }

## Names of commands and options: lower case, without blanks
name-quota = quota
name-queue = queue
name-grid = grid
name-history = history
name-favourites = favourites
name-words = words
name-since = since
name-until = until
name-starred = starred
name-settings = settings
name-negative = negative
name-steps = steps
name-size = size
name-images = images
name-model = model
name-style = style
name-image = image
name-picture = picture
name-strength = strength
name-use = use
name-image2 = image2
name-use2 = use2
name-styles = styles

## Help
command-help = How Easel is used, with examples to try
option-topic = What you want to know about
name-help = help
name-topic = topic
topic-start = First steps
topic-prompts = Prompts
topic-options = Options
topic-buttons = Buttons
topic-quota = Quota and queue
topic-words = Words
topic-settings = My settings
topic-models = Models
topic-midjourney = Coming from Midjourney
topic-admins = For admins
help-start = Type `/imagine`, say what you want to see, and press Enter. One message shows where you stand in line, then the picture as it is drawn, then the finished picture with its buttons. What does not arrive costs nothing.
help-prompts = Say what is to be seen: things, their colors and places, a style. `(word:1.3)` makes a word count more and `[word]` less; `[blue:red:0.5]` changes from one to the other halfway, `[cat|dog]` at every step; `BREAK` begins a new part. `{ $bars }` or `{ $commas }` makes one prompt of each; what all cost is told before they start. `__name__` becomes a word from a list of that name, where the host keeps one.
help-options = `/imagine` has a field for each: up to { $images } images, up to { $steps } steps, CFG up to { $cfg }, size, sampler, seed, model and style. Each can be typed in the prompt too: `--steps 30`, `--negative rain`; `--no` and `--ar 16:9` as well. What is over a limit is lowered and told; the same seed and options draw the same picture again. Attach an `image` to start from, or for what you choose as `use`; `strength` says how much of it changes. `/grid` shows on one sheet what an option does.
help-buttons = `U1` to `U4` and Upscale draw that picture larger, `V1` to `V4` and Vary draw others beside it. 🔁 asks again with another seed, ✏️ with other words or options. 🖌️ changes a part that you tick or paint over, 🔍 draws more on all sides, ↔️ on one. ⭐ keeps the files for ever, 📩 sends them to you untouched, ℹ️ says how they were made, 🗑️ deletes the message. What you press is drawn for you, at your price; buttons never grow old. The menu of any message has more below Apps, also *Easel: report*, which tells the moderators what is wrong with a picture. `/verify` says where a picture's file comes from. `/history` finds your pictures again in any server, `/favourites` those with your ⭐.
help-quota = `/quota` says what you have left and when it starts anew. `/queue` lists your jobs, when they start, and a button to cancel each; pictures that could be shown nowhere wait there too. Members take turns, so many jobs of one do not hold up the others.
help-settings = `/settings` keeps your own model, size, steps, CFG, sampler, images and what to avoid. What you say in a command comes first, then the channel's defaults, then yours, then the server's, then the model's. `ping` says whether you are notified when a job that took over 30 seconds is done. `/privacy` shows, exports and deletes what is kept about you.
help-models = Choose one with the field `model` of `/imagine`.
help-midjourney = `/imagine` reads what you are used to: `--ar 16:9`, `--no rain`, `--seed 7`, `--iw 2`, `red apple::2 pear::1`, `{ $commas }`, and a whole pasted command. What has no meaning here is named below the picture, with what does the same. `/info` is `/quota` here, `/prefer` is `/settings`, `/blend` joins pictures where a model can. Your pictures are in `/history`, your ⭐ in `/favourites`. U, V, 🔁, Zoom and Pan are below each picture; *Remix* is always on: ✏️. Instead of an address behind `--sref`, attach the picture and choose what it is for.
help-admins = For members who may manage the server. `/admin quota` sets who may use how much, gives bonuses and shows what was used; `/admin channel` says where Easel may be used with which defaults, and whether only harmless pictures are shown there (`content`); `/admin words` sets and tries the words that pictures may not be asked for with, `/admin pictures` blocks pictures. `/admin warn`, `/admin pause` and `/admin block` are about a member. `/admin channel reports` chooses where members' reports and appeals are shown, `/admin review` lists them. `/admin queue` pauses, resumes, drains and cancels; `/admin status` and `/admin audit` say how it runs and who decided what.
help-model = • **{ $title }**{ $usual ->
        [yes] {" "}(used where none is named)
       *[no] {""}
    }{ $description ->
        [none] {""}
       *[other] : { $description }
    } · { size }, { $steps } steps
help-words = A model knows the words that it was trained with, and English best.
help-model-words = **{ $title }** knows few words, and draws them in any mix:
    • things: { $things }
    • colors of things and of backgrounds: { $colors }
    • one to four of them; small or big; left, right, top or bottom; next to, above or below
    • places: { $places }; by day, at sunset, at night; in the rain, in the fog, snowfall{ $styles ->
        [none] {""}
       *[other] {""}
    • styles: { $styles }
    }
help-all-words = The models here know most words. Ask the owner for the names of their styles and for special words.
help-more-models = And { $count } more; the field suggests them all.
help-more = -# More with `/help`: { $topics }.
button-try = Try it
refused-topic = There is no help about “{ $topic }”. Choose one of: { $known }.
refused-example-gone = This example is from an earlier version of the help. Use /help to see today's.

## Where a picture comes from
command-verify = Say where a picture comes from
option-verify-picture = A picture's file: PNG, JPEG or WebP
verify-head = Where it comes from
verify-intact = Made here{ $at ->
        [unknown] {""}
       *[other] {" "}on { $at }
    }, and unchanged since.
verify-key-retired = Made here; signed with a key that is no longer in use.
verify-key-stolen = This carries a signature of ours, but others may have that key, and the picture is not among those that were made here. Do not trust it.
verify-saved-anew = Made here. The file was saved anew on its way; the pixels are the same.
verify-changed = This carries our signature, but was changed after it was made. Do not trust it.
verify-alike = Looks like what was made here. That is no proof.
verify-foreign = Signed by a certificate that calls itself “{ $signer }”; { $vouched ->
        [yes] the owner of this Easel vouches for it
       *[no] nobody we know vouches for it
    }. It says: { $made ->
        [ai] made with AI
       *[other] made
    }{ $has_tool ->
        [yes] , by “{ $tool }”
       *[no] {""}
    }{ $count ->
        [0] {""}
        [one] , from one picture
       *[other] , from { $count } pictures
    }.
verify-broken = Its Content Credentials do not fit the picture.
verify-claimed = It says of itself that it was made with AI{ $has_tool ->
        [yes] {" "}(by “{ $tool }”)
       *[no] {""}
    }. Anybody can write that.
verify-nothing = Nothing found. That does not mean that no AI was used.
verify-job = { $job } for <@{ $requester_id }>{ $at ->
        [told] {""}
       *[other] , { $at }
    }: { $prompt }
verify-elsewhere = Made by this Easel, elsewhere.
refused-verify-often = You may ask about { $most } pictures a minute. Wait a moment, then ask again.

## Messages to the owner of the bot
owner-other-instance = A second Easel runs with the token of this bot. It answered a request, which this Easel then gave back, so nothing is drawn or charged twice. But each Easel knows only its own jobs and quotas. End one of them, or give it a bot of its own.
owner-appeal = A member says that a rule of words of yours (safety.words) refused a prompt wrongly. The moderators of the server see it in /admin review; only you can change the rule.
owner-trouble = ⚠️ { $sentence }
    Since { $since }. This message changes when it is over.
owner-well = ✅ It is well again since { $ended }. It was: { $sentence }

## Privacy

command-privacy = What Easel keeps about you
command-privacy-show = See what is kept about you, how long, and by whom
command-privacy-export = Get what is kept about you as files, once a day
command-privacy-delete = Delete your words and pictures, or everything
privacy-head = What Easel keeps about you
privacy-words = • Words: { $jobs } jobs with your prompts, your name and your language, { $days ->
    [0] until you delete them.
   *[other] for { $days } days, longer with a ⭐.
    }
privacy-pictures = • Pictures: { $pictures } that were made for you, and { $given } that your jobs were given, { $days ->
    [0] until you delete them.
   *[other] for { $days } days, longer with a ⭐.
    }
privacy-settings = • Your { $stars } ⭐, and your settings{ $settings ->
    [0] {" "}(none).
   *[other] .
    }
privacy-ledger = • { $entries } entries about units that you used or got, for ever.
privacy-decisions = • { $decisions } refusals by rules and decisions of moderators about you, for { $audit } days; warnings and refused prompts for { $hits } days. { $reports } reports of yours.
privacy-elsewhere = • The log has ids and times, never your words. Messages are kept by Discord. Copies of the database have what was there on their day.
privacy-ways = `/privacy export` gives you all of it as files. `/privacy delete` deletes your words and pictures; or everything, and then a random number takes the place of your id, so that only sums stay. A block or quota that admins set for you stays until it ends.
privacy-contact = Responsible: { $contact }
privacy-policy = Privacy policy: { $url }
privacy-delete-choice = What shall be deleted?
    • **Words and pictures**: your prompts, your name, the pictures that were made for you, also those that others starred, and those that you attached; your stars and settings. Your jobs that wait or run end, and are given back.
    • **Everything**: also your id, in every table. A random number takes its place. You cannot delete the messages of these jobs with 🗑️ any more, and bonuses are lost. What you used in this period, blocks and warnings keep your id until they end.
    The messages of your newest 500 jobs lose words and pictures too, one a second. Pictures that others made from yours stay theirs.
privacy-sure-words = This cannot be undone. Delete your words and pictures?
privacy-sure-everything = This cannot be undone. Delete everything that leads to you?
privacy-button-words = Words and pictures
privacy-button-everything = Everything
privacy-button-sure = Delete for good
privacy-button-keep = Keep
privacy-deleting = Deleting…
privacy-deleted = Deleted: the words and pictures of { $jobs } jobs. Ended and given back on the way: { $cancelled }. Their messages follow, one a second.
privacy-kept = Nothing was deleted.
privacy-export-part = Part { $count }
privacy-export-done = That is all, in { $count } parts. Times in the files are milliseconds since 1970.{ $left_out ->
    [0] {""}
   *[other] {" "}Files that are too large for Discord here and not in it: { $left_out }; ask whoever runs this Easel for them.
    }
privacy-export-cut = There is more than { $count } parts can hold; ask whoever runs this Easel for all of it.
refused-export-often = You can export once a day; the next time { $again }.
