# Every sentence that a person reads in Discord. Sentences start with what happened, then what to do.

## Commands
command-imagine = Draw images from a prompt
option-prompt = What you want to see
option-negative = What you do not want to see
option-cfg = Guidance (CFG): how closely to follow the prompt
option-steps = Denoising steps: more is slower and finer
option-size = square, portrait, landscape, wide, tall, or WIDTHxHEIGHT
option-sampler = The denoising algorithm
option-seed = The same seed and options repeat the same image
option-images = How many images
option-model = Which model draws
command-quota = What you have left, and when it starts anew

## The message of a job
job-head = **{ $prompt }**
    -# { $kind ->
        [reroll] Reroll for
       *[imagine] For
    } <@{ $requester_id }>
job-queued = { $position ->
        [1] Next in line.
       *[other] Number { $position } in line.
    }
job-queued-starts = { job-queued } Starts { $starts }.
job-loading = Loading the model …
job-waiting-again = The worker stopped in the middle; the job starts again shortly. Nothing is lost.
job-running = Drawing: { $percent } % ({ $step } of { $total } steps).
job-running-ends = { job-running } Ready { $ends }.
job-cancelled = Cancelled. Nothing was charged.
job-cancelled-by = Cancelled by <@{ $actor_id }>. Nothing was charged.
job-failed = { $sentence } Nothing was charged.
    -# Error { $error_id }
detail-seed = seed { $seed }
detail-steps = { $steps } steps
detail-cfg = CFG { $cfg }
detail-size = { $width }×{ $height }
detail-drawn = drawn at { $width }×{ $height }
detail-sampler = { $sampler }
detail-model = { $model }
detail-negative = without: { $negative }
detail-time = { $seconds } s
detail-price = cost { $price }, { $left } left
alt-image = { $number } of { $count }: { $prompt }
alt-preview = Preview, not finished: { $prompt }

## Buttons
button-reroll = Reroll
button-cancel = Cancel

## Facts about one run
notice-clamped = { $option } { $given } → { $used }, the limit here.
notice-unknown-options = { $options } is no option here and was left out.
notice-prompt-cut = The end of the prompt did not fit the model and was not read: “{ $text }”.
notice-negative-cut = The end of the negative prompt did not fit the model and was not read: “{ $text }”.

## Refusals: nothing was charged
refused-prompt-empty = There is no prompt. Say what you want to see, such as: a red apple.
refused-prompt-long = The prompt has { $length } characters; { $limit } is the limit here. Shorten it and send it again.
refused-negative-long = The negative prompt has { $length } characters; { $limit } is the limit here. Shorten it and send it again.
refused-model = There is no model called “{ $model }” here. Choose one of: { $known }.
refused-sampler = There is no sampler called “{ $sampler }” for this model. Choose one of: { $known }.
refused-seed = The seed { $seed } is out of range. Use a whole number from 0 to { $limit }, or leave it out.
refused-size = “{ $size }” is no size. Use square, portrait, landscape, wide, tall, or a size such as 512x768.
refused-ratio = “{ $value }” is no aspect ratio. Write it like this: --ar 16:9.
refused-typed-number = “{ $value }” is no number for { $option }. Write it like this: --steps 30 --cfg 6 --seed 7.
refused-model-unavailable = The model “{ $model }” cannot be used right now. Choose another one; the owner finds the reason in the log.
refused-worker-down = Nothing can be drawn right now: { $reason } Try again in a few minutes.
refused-quota = This costs { $price } and you have { $left } of { $limit } left. Your quota starts anew { $resets }.
refused-quota-too-big = This costs { $price }, and { $limit } is all that a period has. Ask for fewer images.
refused-cooldown = That was quick. You can ask again { $until }.
refused-queued = You have { $count } jobs waiting, the most that is allowed here. Cancel one or wait until one is done.
refused-shutting-down = Easel is about to restart. Try again in a minute.
refused-storage = The request could not be saved, so it was not taken. Try again shortly; the owner finds the reason in the log.
refused-unknown-job = This button belongs to a job that Easel no longer knows. Use /imagine to ask again.
refused-not-yours = Only the person who asked for this, or a member who may manage messages, can cancel it.
refused-already-over = This job is over already; there is nothing to cancel.
your-prompt = -# Your prompt: { $prompt }
error-unexpected = Something went wrong on our side. Nothing was charged. Try again; if it happens again, tell the owner the error { $error_id }.

## Failures
failure-invalid_request = The model cannot do what was asked; try other options.
failure-model_unavailable = The model's files are missing or broken, so nothing could be drawn. Choose another model; the owner finds the reason in the log.
failure-out_of_memory = This is too big for the GPU here. Try a smaller size or fewer images.
failure-broken_image = The picture fell apart into broken numbers. Try another seed, or a lower CFG.
failure-device_error = The GPU failed in the middle of the job. Try again shortly.
failure-worker_died = The worker ended in the middle of the job, twice. Try a smaller size; the owner finds the reason in the log.
failure-worker_hung = The worker stopped moving in the middle of the job, twice. Try again later.
failure-timeout = The job took longer than is allowed here and was ended. Try fewer steps or a smaller size.
failure-internal = Something went wrong on our side while drawing. Try again.
failure-delivery = The pictures were drawn but Discord would not take them.

## Quota
quota-unlimited = You can draw as much as you like here.
quota-state = { $left } of { $limit } left.
quota-used = Used: { $used }.
quota-in-flight = In flight: { $in_flight }.
quota-resets = Starts anew { $resets }.
quota-price = One image with the default settings costs { $price }.
