# Jeder Satz, den jemand in Discord liest. Zuerst, was geschah, dann, was zu tun ist.

## Commands
command-imagine = Bilder aus einem Prompt zeichnen
command-blend = Zeichnen, was mehrere Bilder zeigen, in einem
option-blend-image = Ein Bild für die Mischung
option-blend-prompt = Was du sehen willst; ohne Angabe entscheiden die Bilder allein
command-morph = Ein Bild wird ein anderes: eine Animation
command-cutout = Den Hintergrund eines Bildes durchsichtig machen
command-upscale = Jedes Bild vergrößern
option-prompt = Was du sehen möchtest
option-negative = Was du nicht sehen möchtest
option-cfg = Führung (CFG): wie genau der Prompt befolgt wird
option-steps = Schritte: mehr ist langsamer und feiner
option-size = square, portrait, landscape, wide, tall oder BREITExHÖHE, wie das Modell zeichnet
option-sampler = Das Verfahren, mit dem gezeichnet wird
option-seed = Gleicher Seed und gleiche Angaben ergeben das gleiche Bild
option-images = Wie viele Bilder
option-model = Welches Modell zeichnet
option-style = Ein Stil, der hier angeboten wird: fügt dem Prompt seinen Zusatz und seine Wörter hinzu
option-image = Ein Bild, von dem ausgegangen wird, oder für das, was du als „verwendung“ wählst
option-use = Wofür das Bild da ist; ohne Angabe wird von ihm ausgegangen
option-image2 = Ein zweites Bild, für das, was du als „verwendung2“ wählst
option-use2 = Wofür das zweite Bild da ist
option-strength = Wie viel sich an deinem Bild ändert; bei anderer Verwendung als start: wie stark es wirkt
choice-use-start = start: von diesem Bild ausgehen
choice-use-style = style: im Stil dieses Bildes zeichnen
choice-use-subject = subject: zeichnen, was dieses Bild zeigt
choice-use-face = face: dieses Gesicht zeichnen
choice-use-composition = composition: so anordnen wie in diesem Bild
choice-use-lines = lines: den Linien dieses Bildes folgen
choice-use-scribble = scribble: dieser groben Zeichnung folgen
choice-use-depth = depth: lassen, was nah und was fern ist
choice-use-pose = pose: die Haltung der Menschen nehmen
choice-use-edit = edit: dieses Bild ändern, wie der Prompt es sagt
choice-use-network = { $use } mit { $network }
choice-use-map = { $use } map: das ist eine fertige Karte dafür
choice-strength-subtle = wenig ({ $strength })
choice-strength-medium = mittel ({ $strength })
choice-strength-strong = stark ({ $strength })
option-morph-from = Was das erste Bild zeigt
option-morph-to = Was das letzte Bild zeigt
option-morph-frames = Wie viele Bilder, mit beiden Enden
option-morph-to-seed = Seed des letzten Bildes; ohne ihn ändern sich nur die Wörter
option-morph-loop = Hin und zurück, wie üblich
option-cutout-image = Das Bild, dessen Hintergrund wegkommt
option-cutout-network = Womit der Vordergrund gefunden wird
option-upscale-image = Das Bild, das größer werden soll
option-upscale-creative = Wieviel von den Einzelheiten neu gezeichnet wird; ohne Angabe nichts
option-upscale-prompt = Was das Bild zeigt, für creative; ohne Angabe der Prompt in der Bilddatei
option-upscale-scale = Wievielmal so breit und hoch; ohne Angabe so groß, wie es hier geht
option-upscale-upscaler = Womit vergrößert wird
option-upscale-faces = Womit Gesichter darin ausgebessert werden; sonst bleiben sie, wie sie sind
command-quota = Was dir noch bleibt und wann es neu beginnt

command-settings = Meine Vorgaben, und ob ich höre, wenn ein langer Auftrag fertig ist
option-my-default = Meine Vorgabe für { $option }
option-my-ping = Ob ich benachrichtigt werde, wenn ein Auftrag von über 30 Sekunden fertig ist
option-my-showcase = Ob die Galerie eines Servers deine Bilder zeigen darf, die andere mit einem Stern behalten
option-my-clear = Vergessen, was ich früher gewählt habe
command-styles = Welche Stile es hier gibt und wie man sie tippt
menu-details = Easel: wie entstanden
menu-reference = Easel: als Vorlage
choice-creative-off = aus: nur größer
choice-creative-subtle = leicht: feinere Einzelheiten
choice-creative-strong = stark: neue Einzelheiten
menu-upscale = Easel: vergrößern
menu-report = Easel: melden
choice-on = an
choice-off = aus

## The message of a job
job-head = **{ $prompt }**
    -# { $kind ->
        [reroll] Neuer Wurf von { $parent } für
        [vary-subtle] Variation (leicht) von { $parent } für
        [vary-strong] Variation (stark) von { $parent } für
        [upscale] Vergrößerung von { $parent } für
        [region] Ausschnitt von { $parent } für
        [zoom-out] Herausgezoomt von { $parent } für
        [pan] Schwenk von { $parent } für
        [remix] Remix von { $parent } für
        [making-of] Entstehung von { $parent } für
        [morph] Verwandlung für
        [morph-into] Verwandlung von { $parent } für
        [enlarge] Vergrößert für
        [cutout] Freigestellt für
        [grid] Ein Raster für
       *[imagine] Für
    } <@{ $requester_id }>
job-queued = { $position ->
        [1] Als Nächstes an der Reihe.
       *[other] Nummer { $position } in der Reihe.
    }
job-queued-starts = { job-queued } Beginnt { $starts }.
job-starting = { $position ->
        [1] { "" }
       *[other] { job-queued }{ " " }
    }Easel startet und zeichnet, sobald das Modell geladen ist.
job-starting-starts = { job-starting } Der Auftrag beginnt { $starts }.
job-absent-model = { job-queued } Wartet auf einen Rechner mit { $model }; gerade ist keiner da.
job-price = Kostet { $price }, und nichts, wenn es nicht ankommt.
job-loading = Das Modell wird geladen …
job-loading-starts = { job-loading } Der Auftrag beginnt { $starts }.
job-waiting-again = Der Worker blieb mittendrin stehen; der Auftrag beginnt gleich noch einmal. Nichts ist verloren.
job-running = Wird gezeichnet: { $percent } % ({ $step } von { $total } Schritten).
job-running-ends = { job-running } Fertig { $ends }.
job-cutting = Der Vordergrund wird gesucht.
job-enlarging = Wird vergrößert: { $percent } %.
job-enlarging-ends = { job-enlarging } Fertig { $ends }.
job-without-words = Ein Bild
job-unkept = { $count ->
        [one] Das Bild ist gezeichnet und lässt
       *[other] Die Bilder sind gezeichnet und lassen
    } sich nicht aufbewahren: Die Festplatte des Rechners, auf dem Easel läuft, nimmt nichts mehr. Wer ihn betreibt, weiß davon; einige Minuten lang wird es noch einmal versucht, und berechnet wird nichts, bevor es ankommt.
job-cancelled = Abgebrochen. Es wurde nichts berechnet.
job-cancelled-by = Abgebrochen von <@{ $actor_id }>. Es wurde nichts berechnet.
job-flagged = { $count ->
        [one] Das Bild hat der Inhaltsfilter verborgen.
       *[other] Alle { $count } Bilder hat der Inhaltsfilter verborgen.
    } Versuch es mit anderen Worten, einem anderen Seed oder einem anderen Bild. Es wurde nichts berechnet.
forgotten-member = ein vergessenes Mitglied
job-forgotten = Dieses Bild und seine Worte sind gelöscht, weil das Mitglied es so wollte.
job-moved = Er steht in einer anderen Nachricht: { $job }.
job-handed-over = Fertig. Die Bilder konnten hier nicht gezeigt werden und gingen deshalb an <@{ $requester_id }>.
job-words-hidden = Der Prompt wird nicht gezeigt
job-removed = Die Moderation hat entfernt, was hier stand (#{ $job_id }, für <@{ $requester_id }>).
job-held = Gezeichnet. Die Moderation sieht es an, bevor es gezeigt wird; tut es einen Tag lang niemand, wird nichts berechnet.
notify-over = { $job } konnte nicht gezeigt werden, wo danach gefragt wurde. { $sentence }
job-failed = { $sentence } Es wurde nichts berechnet.
    -# Fehler { $error_id }
summary-seed = seed { $seed }
summary-steps = { $steps } Schritte
summary-cfg = CFG { $cfg }
size = { $width }×{ $height }{ $enlarged ->
        [none] {""}
       *[other] , vergrößert auf { $enlarged }
    }
size-choice = { $name } ({ $ratio }): { size }
summary-images = { $images ->
        [one] { $images } Bild
       *[other] { $images } Bilder
    }
summary-sampler = { $sampler }
summary-model = { $model }
summary-negative = ohne: { $negative }
summary-image = von einem Bild aus
summary-use = Verwendung { $use }
summary-image2 = ein zweites Bild
summary-use2 = Verwendung { $use2 }
summary-strength = Stärke { $strength }
summary-time = { $seconds } s
summary-partial = { $count } von { $asked } Bildern
summary-price = Preis { $price }, noch { $left }
summary-morph = { $frames } Bilder, je { $steps } Schritte
summary-morph-seeds = Seeds { $start } bis { $end }
morph-to = zu { $end }
summary-making-of = { $steps } Schritte
making-of-explained = Links steht, was das Modell in jedem Schritt bekommt, rechts, wofür es das Bild hält. Es beginnt mit Rauschen; der Balken zeigt, wie weit es ist.
summary-cutout = { $width }×{ $height }, Hintergrund durchsichtig
summary-enlarged = { $from } → { $width }×{ $height }
alt-image = { $number } von { $count }: { $prompt }
alt-morph = { $frames } Bilder von „{ $start }“ zu „{ $end }“
alt-morph-keys = Fünf der { $frames } Bilder von „{ $start }“ zu „{ $end }“, nebeneinander
alt-making-of = Wie ein Bild entstand, { $count } Schritte aus dem Rauschen: { $prompt }
alt-cutout = Ein Bild von { $width }×{ $height } ohne seinen Hintergrund
alt-enlarged = Vergrößert, von { $from } auf { $width }×{ $height }: { $prompt }
alt-preview = Vorschau, nicht fertig: { $prompt }

## Buttons
button-reroll = Neuer Wurf
button-retry = Noch einmal
button-upscale = Vergrößern
button-vary-subtle = Variieren (leicht)
button-vary-strong = Variieren (stark)
button-remix = Remix
button-change = Ändern
button-appeal = Das ist falsch
button-region = Ausschnitt
button-zoom-out = Herauszoomen
button-pan = Schwenken
button-morph = Verwandeln
button-making-of = Entstehung
button-draw = Zeichnen
button-larger = Größer
button-smaller = Kleiner
button-invert = Andersherum
button-cancel = Abbrechen
button-collect = Zeig her
button-cancel-mine = Abbrechen

## My settings
settings-head = **Deine Einstellungen**
settings-changed = **Deine Einstellungen sind geändert**
settings-defaults = Deine Vorgaben: { $defaults }.
settings-no-defaults = Du hast keine eigenen Vorgaben.
settings-ping-on = Du wirst benachrichtigt, wenn ein Auftrag von über 30 Sekunden fertig ist.
settings-ping-off = Du wirst nicht benachrichtigt, wenn ein Auftrag fertig ist.
settings-showcase-on = Die Galerie eines Servers darf deine Bilder zeigen.
settings-showcase-off = Keine Galerie zeigt deine Bilder.
settings-order = -# Was du in einem Befehl sagst, kommt zuerst, dann die Vorgaben des Kanals, dann deine, dann die des Servers, dann die des Modells.
notify-done = <@{ $user_id }>, { $job } ist fertig.

## Styles
styles-head = **Stile:** Wähle einen als Angabe von /imagine, oder tippe seinen Zusatz, mit einem Gewicht, in den Prompt.
styles-row = - { $style }: { $tag }
styles-row-negative = - { $style }: { $tag } im negativen Prompt
styles-more = Und { $count } weitere; /imagine schlägt sie beim Tippen vor.

## Delivered pictures
star-set = ⭐ Die Bilder von { $job } bleiben: ihre Dateien werden nie gelöscht. Drücke ⭐ noch einmal, damit sie mit den anderen gehen.
star-taken = Die Bilder von { $job } bleiben nicht länger als andere.
copy-handed-over = { $job } konnte dort nicht gezeigt werden, wo du gefragt hast, also kommt es hier.
copy-sent = Hier sind die Bilder von { $job }, so wie sie gezeichnet wurden.
copy-sent-smaller = Hier sind die Bilder von { $job }, verkleinert: Größere Dateien nimmt Discord in Direktnachrichten nicht.
copy-done = In deine Direktnachrichten geschickt.
details-head = Wie { $job } entstand
details-lineage = { $kind ->
        [reroll] Neuer Wurf von { $parent }
        [vary-subtle] Variation (leicht) von { $parent }
        [vary-strong] Variation (stark) von { $parent }
        [upscale] Vergrößerung von { $parent }
        [region] Ausschnitt von { $parent }
        [zoom-out] Herausgezoomt von { $parent }
        [pan] Schwenk von { $parent }
        [making-of] Entstehung von { $parent }
        [morph-into] Verwandlung von { $parent }
       *[remix] Remix von { $parent }
    }
details-model = Modell: { $model } ({ $license })
details-license-gone = nicht mehr im Angebot
details-options = Seed { $seed } · { $steps } Schritte · CFG { $cfg } · { $sampler } · { size }
details-variation = Variiert zum Seed { $seed }, Stärke { $strength }
details-upscale = { $scale }-fach vergrößert, { $strength } neu gezeichnet
details-given = { $use ->
        [mask] Die Maske: ihr weißer Teil wurde neu gezeichnet
        [source] Das Bild, das vergrößert wurde
        [start] Von diesem Bild wurde ausgegangen, Stärke { $strength }
        [init-image] Von diesem Bild wurde ausgegangen, Stärke { $strength }
       *[other] Verwendung dieses Bildes: { $use }, Stärke { $strength }
    }
details-given-gone = { $given } (es wird hier nicht mehr aufbewahrt)
details-given-private = { $given } (hier sieht es nur, wer es gegeben hat)
details-image = Das Bild, von dem es ausging, steht nicht im Befehl: Häng dasselbe wieder als „bild“ an.
details-inpaint = { $part ->
        [cells] Nur ein Ausschnitt des Bildes ist neu gezeichnet, in Feldern eines Rasters
        [mask] Nur ein Ausschnitt des Bildes ist neu gezeichnet, nach einer Maske
       *[around] Um das Bild herum gezeichnet
    }
details-window = Nur ein Fenster wurde gezeichnet, mit { $size }: der neue Teil und das Bild daneben
details-tiles = In { $count } Kacheln neu gezeichnet, über dem vergrößerten Bild
details-cutout = Hintergrund entfernt mit { $network } ({ $licence })
details-upscaler = Vergrößerer: { $upscaler } ({ $licence })
details-enlarged = { $scale }-fach vergrößert, von { $from } auf { $width }×{ $height }
details-faces = Gesichter ausgebessert mit { $model }
details-enlarged-recipe = -# Gewichte { $hash } · { $dtype } auf { $device } · { $versions }
details-seeds = Seeds der Bilder: { $seeds }
details-price = Preis: { $price }
details-time = Zeit: { $seconds } s
details-recipe = -# Gewichte { $hash } · { $scheduler } · { $dtype } auf { $device } · { $rows } Zeilen auf einmal · { $versions }
details-recipe-engine = -# Gezeichnet von { $versions } auf { $device }
details-recipe-loras = -# LoRA-Dateien { $files }
details-recipe-embeddings = -# Embedding-Dateien { $files }
details-recipe-networks = -# Dateien von Adaptern und ControlNets { $files }
details-defaults = { $whose ->
        [channel] Vorgaben des Kanals
        [own] Eigene Vorgaben des Mitglieds
       *[server] Vorgaben des Servers
    }: { $defaults }
details-order = -# Was ein Befehl sagt, kommt zuerst, dann die Vorgaben des Kanals, dann die eigenen des Mitglieds, dann die des Servers, dann die des Modells.
details-foreign = Was die Datei sagt:
details-purpose = { $kind ->
        [begun] Um das Bild zu zeichnen, mit dem es begann:
        [words] Um ein ganzes Bild nach diesen Worten zu zeichnen:
       *[command] Um es noch einmal zu zeichnen:
    }
details-command-file = { $kind ->
        [begun] Der Befehl, der das Bild zeichnet, mit dem es begann, steht in dieser Datei.
        [words] Der Befehl, der ein ganzes Bild nach diesen Worten zeichnet, steht in dieser Datei.
       *[command] Der Befehl, der es noch einmal zeichnet, steht in dieser Datei.
    }

## The form of a remix
morph-title = Verwandeln in…
morph-prompt = Was das letzte Bild zeigt
morph-seed = Sein Seed
morph-seed-about = Mit demselben Seed ändern sich nur die Wörter.
remix-title = Remix
change-title = Die Worte ändern
remix-prompt = Prompt
remix-negative = Negativer Prompt
remix-size = Größe
remix-sampler = Sampler
remix-sampler-more = Andere kannst du am Ende des Prompts nennen: --sampler NAME
remix-seed = Seed
remix-size-kept = Wie bisher: { size }
remix-seed-new = Ein neuer
remix-seed-kept = { $seed }, wie bisher
reference-title = Von diesem Bild ausgehen
reference-use = Wofür das Bild da ist
reference-strength = Wie viel sich ändert
reference-copy-hint = Nur, wo du das gespeicherte Bild übermalt hast, oder wo eine Maske weiß ist. Ohne Kopie alles.
reference-size-kept = In der Form des Bildes

## Meldungen, und was die Moderation entscheidet
report-title = Dieses Bild melden
report-reason = Was daran nicht stimmt
report-reason-sexual = Es ist sexuell
report-reason-violence = Es zeigt Gewalt
report-reason-hate = Es ist hasserfüllt oder belästigt jemanden
report-reason-person = Es zeigt einen echten Menschen
report-reason-other = Etwas anderes
report-note = Was die Moderation wissen soll
report-taken = Danke. Die Moderation liest deine Meldung, und du erfährst, was sie entscheidet. Andere lesen nicht, wer gemeldet hat.
report-taken-unseen = Danke, deine Meldung ist aufbewahrt. Dieser Server hat keinen Kanal für Meldungen, oder Easel kann dort nicht schreiben; die Moderation sieht sie, wenn sie /admin review öffnet. Wenn es eilt, sag jemandem von ihr Bescheid.
reporter-told-keep = Die Moderation hat deine Meldung zu { $job } angesehen. Sie hat nichts daran gefunden.
reporter-told-spoiler = Die Moderation hat deine Meldung zu { $job } angesehen. Es steht jetzt hinter einem Spoiler.
reporter-told-remove = Die Moderation hat deine Meldung zu { $job } angesehen. Es ist entfernt.
appeal-taken = Die Moderation sieht die Ablehnung und deinen Prompt. Du erfährst, was sie entscheidet.
appeal-taken-unseen = Dein Einspruch ist aufbewahrt. Dieser Server hat keinen Kanal dafür, oder Easel kann dort nicht schreiben; die Moderation sieht ihn, wenn sie /admin review öffnet.
appealer-told-keep = Die Moderation hat den Prompt angesehen, den eine Wortregel abgelehnt hat. Es bleibt dabei: { $prompt }
appealer-told-allow-once = Die Moderation erlaubt deinen Prompt einmal. Frag innerhalb eines Tages noch einmal, mit denselben Worten: { $prompt }
appealer-told-except = Die Moderation hat eine Ausnahme zu der Regel gemacht, die deinen Prompt abgelehnt hat. Frag noch einmal: { $prompt }
appealer-hidden-keep = Die Moderation hat deinen Einspruch gelesen. Dein Bild bleibt verborgen: { $prompt }
appealer-hidden-allow-once = Die Moderation will das verborgene Bild sehen. Bitte innerhalb eines Tages noch einmal darum, mit denselben Worten: { $prompt }. Sie sieht es vor allen anderen.
reports-begin = Meldungen und Einsprüche der Mitglieder und Bilder, die auf die Moderation warten, stehen ab jetzt hier. Mit den Knöpfen darunter wird entschieden; /admin review zeigt, was offen ist.
showcase-begin = Bilder, die Mitgliedern gefallen (⭐), stehen ab jetzt hier, wenn einverstanden ist, wer sie zeichnen ließ.
showcase-exhibit = { $stars ->
    [0] Ein Bild von <@{ $requester_id }>: { $job }
    [one] ⭐ **1** · von <@{ $requester_id }>: { $job }
   *[other] ⭐ **{ $stars }** · von <@{ $requester_id }>: { $job }
}
showcase-ask = { $stars ->
    [one] Ein anderes Mitglied hat { $job } einen Stern gegeben.
   *[other] { $stars } andere Mitglieder haben { $job } einen Stern gegeben.
} Darf die Galerie <#{ $channel_id }> deine Bilder zeigen? Schreib /settings mit der Option showcase: on erlaubt es, off verbietet es. Bis dahin wird nichts gezeigt.
case-report = **Meldung { $case_id }** zu { $job } von <@{ $user_id }>
case-held = **Zurückgehalten { $case_id }**: { $job } von <@{ $user_id }> ist gezeichnet und wird gezeigt, wenn ihr zustimmt. Nach einem Tag endet es von selbst.
case-appeal = **Einspruch { $case_id }** von <@{ $user_id }> gegen eine Ablehnung
case-score = Er war sich zu { $score } % sicher.
case-appeal-hidden = **Einspruch { $case_id }** von <@{ $user_id }> gegen ein verborgenes Bild, das niemand aufgehoben hat. Wenn ihr die Worte einmal erlaubt, wird es neu gezeichnet und zuerst euch gezeigt.
case-appeal-gone = Der abgelehnte Prompt ist nicht mehr aufbewahrt.
case-hit = Regel { $rule } { $whose ->
        [server] dieses Servers
       *[owner] des Betreibers, der es erfahren hat
    } („{ $word }“) hat „{ $part }“ gefunden ({ $how }).
case-prompt = Prompt: ||{ $prompt }||
case-reporter = - <@{ $reporter_id }>: { $reason }{ $note ->
        [none] {""}
       *[other] {" "}(„{ $note }“)
    }
case-warnings = { $count ->
        [one] In den letzten 30 Tagen einmal verwarnt.
       *[other] In den letzten 30 Tagen { $count }-mal verwarnt.
    }
case-veiled = Hinter einem Spoiler, bis jemand entscheidet, denn drei Mitglieder haben es gemeldet.
case-decided-keep = Nichts daran, sagt <@{ $actor_id }> ({ $when }).
case-decided-spoiler = Von <@{ $actor_id }> hinter einen Spoiler gestellt ({ $when }).
case-decided-remove = Von <@{ $actor_id }> entfernt ({ $when }).
case-decided-allow-once = Einmal erlaubt von <@{ $actor_id }> ({ $when }).
case-decided-except = Ausnahme von <@{ $actor_id }> ({ $when }).
case-decided-show = Wird gezeigt, sagt <@{ $actor_id }> ({ $when }).
case-decided-refuse = Wird nicht gezeigt, sagt <@{ $actor_id }> ({ $when }).
case-decided-expired = Endete ohne Entscheidung ({ $when }).
case-upheld = Es bleibt bei der Ablehnung, sagt <@{ $actor_id }> ({ $when }).
button-case-keep = Nichts daran
button-case-spoiler = Spoiler
button-case-remove = Entfernen
button-case-allow-once = Einmal erlauben
button-case-except = Ausnahme machen
button-case-uphold = Dabei bleiben
button-case-show = Zeigen
button-case-refuse = Nicht zeigen
button-case-block-picture = Bild sperren
button-case-block = Sperren…
button-case-warn = Verwarnen
button-case-pause-1h = Pause 1 h
button-case-pause-1d = Pause 1 Tag
review-head = { $count ->
        [0] Nichts wartet auf eine Entscheidung.
        [one] **Ein Fall wartet auf eine Entscheidung.**
       *[other] **{ $count } Fälle warten auf eine Entscheidung.**
    }
review-decided-keep = Fall { $case_id }: nichts daran.
review-decided-spoiler = Fall { $case_id }: hinter einem Spoiler.
review-decided-remove = Fall { $case_id }: entfernt.
review-settled = Fall { $case_id } ist entschieden.
block-title = Ein Mitglied sperren
block-why = Warum
block-how-long = Wie lange
exception-title = Ausnahme machen
exception-word = Worte, die erlaubt sind
exception-hint = Die Regel findet ihr Wort darin nicht mehr. Nenne mehr als das Wort allein: Sternfrucht.
refused-not-moderator = Hier entscheidet nur, wer Nachrichten verwalten darf.
refused-case-decided = Darüber hat schon jemand entschieden.
refused-no-look = Easel weiß nicht, wie dieses Bild aussieht. Sperre es mit /admin pictures block.
block-reason = Fall { $case_id }
refused-case-gone = Diesen Fall gibt es nicht mehr.
refused-case-unapplied = Discord lässt Easel diese Nachricht gerade nicht ändern; es ist nichts entschieden. Prüfe die Rechte von Easel in dem Kanal und versuche es noch einmal.

## A part of a picture, and what lies around it
region-title = Einen Ausschnitt ändern
region-where = Wo
region-prompt = Ändern in
region-strength = Wie viel
region-subtle = wenig
region-medium = mittel
region-strong = stark
region-words = Oder was
region-words-hint = Was sich ändern soll, auf Englisch: the hat. Es sagt statt der Kästchen, wo.
region-copy = Meine übermalte Kopie
region-copy-hint = Das gespeicherte Bild, übermalt, wo es sich ändert. Sie sagt statt der Kästchen, wo.
region-look = Das Bild; der Ausschnitt, der sich ändert, ist getönt
region-question = **Der getönte Ausschnitt wird zu** { $prompt }{ $more ->
        [0] {""}
        [one] {" "}und einem weiteren Prompt
       *[other] {" "}und { $more } weiteren Prompts
    }
region-kept = Außerhalb des markierten Ausschnitts blieb alles genau, wie es war.
redraw-price = Das kostet { $price }; du hast noch { $left }.
redraw-price-unlimited = Das kostet { $price }.
cell-0 = oben links
cell-1 = oben
cell-2 = oben rechts
cell-3 = links
cell-4 = Mitte
cell-5 = rechts
cell-6 = unten links
cell-7 = unten
cell-8 = unten rechts
zoom-title = Herauszoomen
zoom-out = Wie weit
zoom-factor = ×{ $factor }
zoom-prompt = Prompt
pan-question = **Auf welcher Seite geht das Bild weiter?** Jeder Druck startet einen Auftrag.
notice-words-unused = Die übermalte Kopie sagt, wo; die Wörter bewirken darum nichts.
notice-cells-unnamed = Die Wörter sagen, wo; die angekreuzten Kästchen bewirken darum nichts.
notice-cells-unused = Die übermalte Kopie sagt, wo; die angekreuzten Kästchen bewirken darum nichts.

## Facts about one run
notice-word = „{ $word }“ ist hier nicht gern gesehen (Regel { $rule }{ $reason ->
        [none] {""}
       *[other] : { $reason }
    }).
notice-review = Die Moderation sieht es zuerst an, wegen „{ $word }“ (Regel { $rule }{ $reason ->
        [none] {""}
       *[other] : { $reason }
    }).
notice-clamped = { $option } { $given } → { $used }, die Grenze hier.
notice-advice-negative = Bei CFG { $cfg } wirkt ein negativer Prompt nicht; über 1 wirkt er.
notice-advice-cfg-low = Bei CFG { $cfg } folgt ein Bild seinem Prompt selten; ab 3 tut es das.
notice-advice-cfg-high = Bei CFG { $cfg } brennen oft Farben aus und Formen zerfallen; 15 ist reichlich.
notice-advice-steps-few = Mit weniger als 8 Schritten wird ein Bild selten fertig; hier sind { $usual } üblich.
notice-advice-steps-many = Mehr als 50 Schritte ändern wenig; hier sind { $usual } üblich.
notice-alike = { $model } zeichnet das aus jedem Seed gleich. Nenne eine Farbe, eine Größe, einen Ort oder eine Zahl, um ein anderes Bild zu bekommen.
notice-words-unknown = { $model } kennt { $count ->
        [one] das Wort „{ $words }“
       *[other] Wörter wie „{ $words }“
    } nicht. Es kennt (auf Englisch) { $known } und mehr: siehe `/hilfe Wörter`.
notice-words-none = { $model } kennt kein Wort dieses Prompts. Es kennt (auf Englisch) { $known } und mehr: siehe `/hilfe Wörter`.
notice-unknown-options = { $options } ist hier keine Angabe und wurde weggelassen.
notice-unknown-options-many = { $options } sind hier keine Angaben und wurden weggelassen.
notice-habit-stylize = { $options }: Easel gibt deinen Worten keinen eigenen Stil dazu. `--cfg` sagt, wie genau ein Bild ihnen folgt, und `stil` wählt einen Stil.
notice-habit-variety = { $options }: Jedes Bild eines Auftrags hat seinen eigenen Seed, sie unterscheiden sich also, so sehr sie können. V zeichnet welche, die einander näher sind.
notice-habit-tile = { $options }: Kein Modell hier zeichnet nahtlose Kacheln; die Ränder dieses Bildes passen nicht aneinander.
notice-habit-version = { $options }: Versionen sind hier Modelle. `--modell` wählt eines, und `/hilfe Modelle` nennt sie.
notice-habit-speed = { $options }: Tempo und Güte sind hier die Zahl der Schritte. `--schritte 10` ist schnell, `--schritte 40` gründlich.
notice-habit-repeat = { $options }: 🔁 fragt noch einmal mit einem anderen Seed, und `--bilder` zeichnet mehrere auf einmal.
notice-habit-personal = { $options }: Easel lernt keinen Geschmack. `/einstellungen` bewahrt deine Vorgaben.
notice-habit-weight = { $options }: Das Gewicht eines angehängten Bildes heißt hier `--stärke`.
notice-habit-motion = { $options }: Was du hier bekommst, ist ein Bild, das stillsteht.
notice-words-stayed = Die Worte hinter { $option } sind im Prompt geblieben: „{ $words }“.
notice-option-empty = Hinter { $option } stand nichts, darum wurde es weggelassen.
notice-option-unused = { $model } verwendet { $option } nicht, darum wurde es weggelassen.
notice-options-overruled = { $count ->
        [one] { $options } wurde weggelassen, denn dafür war noch ein anderer Wert angegeben.
       *[other] { $options } wurden weggelassen, denn dafür waren noch andere Werte angegeben.
    }
notice-size = size { $given } → { size }, die Grenze hier.
notice-size-own = Dieses Modell wählt die Größe selbst, nach dem Bild: Es hat { $size } gezeichnet.
notice-shape = Die Form { $given } ist hier nicht möglich; am nächsten kommt { size }.
notice-chances = Chancen wie „2::“ wählen anderswo eine Variante aus; hier wird jede einmal gezeichnet.
notice-addresses = Ein Link wird nie geöffnet, darum { $count ->
        [one] wurde diese Adresse weggelassen: { $words }. Häng das Bild
       *[other] wurden diese Adressen weggelassen: { $words }. Häng ein Bild
    } stattdessen als Angabe „bild“ an.
notice-weights-avoided = Was ein Gewicht unter null hat, steht nun im negativen Prompt: { $words }.
notice-weights-unread = { $count ->
        [one] Dieses Gewicht wurde nicht gelesen: { $words }.
       *[other] Diese Gewichte wurden nicht gelesen: { $words }.
    } Wo ein Modell Worte gewichtet, schreib (red apple:1.3).
notice-signs-unread = { $count ->
        [one] Das bedeutet in anderen Programmen etwas und ist hier nur Text: { $words }.
       *[other] Diese Zeichen bedeuten in anderen Programmen etwas und sind hier nur Text: { $words }.
    }
notice-and = { $model } nimmt nur einen Prompt auf einmal, darum wird „AND“ als „and“ gelesen: Die Teile werden als ein Prompt gezeichnet, nicht übereinander.
notice-sum-avoided =
    { $count ->
        [one] Das Minus dieser Summe lässt zu wenig zum Zeichnen übrig, darum kam es in den negativen Prompt: { $words }.
       *[other] Die Minus dieser Summe lassen zu wenig zum Zeichnen übrig, darum kamen sie in den negativen Prompt: { $words }.
    }
notice-concepts = Jeder der { $count } Prompts um AND lenkt das Bild für sich, darum dauert ein Schritt etwa { $percent } % länger.
notice-german = { $model } kennt nur Englisch, darum wurde dein Deutsch Wort für Wort übersetzt: „{ $words }“.
notice-reduced = Die Dateien wurden für Discord verkleinert; 📩 schickt sie so, wie sie gezeichnet wurden.
notice-more = Und { $count } weitere Hinweise.
notice-words-hidden = Die automatische Moderation nimmt hier keine Nachricht mit diesem Prompt an; deshalb steht er nur in ℹ️.
notice-handed-over = Die Bilder konnten nicht gezeigt werden, wo danach gefragt wurde, und kamen als Direktnachricht.
notice-veiled = { $count ->
    [one] Ein Bild ist hinter einem Spoiler, weil die Bildprüfung es aufreizend oder sexuell nennt.
   *[other] { $count } Bilder sind hinter einem Spoiler, weil die Bildprüfung sie aufreizend oder sexuell nennt.
}
veiled-by-reports = Hinter einem Spoiler, weil mehrere Mitglieder es gemeldet haben. Die Moderation sieht es sich an.
veiled-by-moderator = Hinter einem Spoiler, weil die Moderation so entschieden hat.
notice-flagged = { $count } von { $asked } Bildern hat der Inhaltsfilter verborgen; sie werden nicht berechnet.
notice-rated = { $rating ->
        [blocked] Es gleicht einem Bild, das hier gesperrt ist.
        [sexual] Der Filter hielt es für sexuell.
       *[suggestive] Der Filter hielt es für anzüglich.
    }
notice-looked-at = Die Moderation sieht es, bevor es gezeigt wird, da du Einspruch erhoben hast.
notice-references-padded = { $count ->
        [one] Eine Vorlage, die kein Quadrat ist, bekam Ränder
       *[other] { $count } Vorlagen, die keine Quadrate sind, bekamen Ränder
    } in der mittleren Farbe ihres Bildes, damit nichts abgeschnitten wird.
notice-prompt-cut = Das Ende des Prompts passte nicht ins Modell und wurde nicht gelesen: „{ $text }“.
notice-tags-ignored = Solche Zusätze gibt es hier nicht, darum wurden sie weggelassen: { $tags }.
notice-tags-elsewhere = { $model } wird von einem anderen Programm gezeichnet, das die Stile von hier nicht hat; darum fielen diese Tags weg: { $tags }.
notice-lora-unknown = Einen Stil „{ $name }“ gibt es hier nicht, darum wurde er weggelassen.{ $near ->
        [none] {""}
       *[other] {" "}Ähnliche Namen: { $near }.
    }
notice-lora-unfit = Der Stil „{ $name }“ passt nicht zu diesem Modell, darum wurde er weggelassen: { $reason }.
notice-lora-broken = Die Datei des Stils „{ $name }“ ist kaputt, darum wurde er weggelassen; den Grund findet der Betreiber im Protokoll.
notice-lora-unusable = Der Stil „{ $name }“ ist nicht zu gebrauchen, darum wurde er weggelassen: Seine Datei ist kein einfaches LoRA, sondern { $kind }.
notice-lora-is-embedding = „{ $name }“ ist ein Embedding und kein LoRA, darum wurde der Zusatz weggelassen. Tippe stattdessen { $tag }.
notice-style-numbers = Die Datei des Stils „{ $name }“ enthält kaputte Zahlen, darum wurde er weggelassen; der Betreiber kann sie neu herunterladen.
notice-embedding-unknown = Ein Embedding „{ $name }“ gibt es hier nicht, darum wurde es weggelassen.{ $near ->
        [none] {""}
       *[other] {" "}Ähnliche Namen: { $near }.
    }
notice-embedding-family = Das Embedding „{ $name }“ ist für eine andere Art von Modell als { $model } gemacht, darum wurde es weggelassen.
notice-embedding-unfit = Das Embedding „{ $name }“ passt nicht zu diesem Modell, darum wurde es weggelassen: { $reason }.
notice-embedding-is-lora = „{ $name }“ ist ein LoRA und kein Embedding, darum wurde es weggelassen. Tippe stattdessen { $tag }.
notice-lora-clamped = Gewichte von Stilen gehen von -{ $limit } bis { $limit } und wurden dorthin verschoben: { $tags }.
notice-loras-many = Ein Prompt nimmt bis zu { $limit } Stile; diese wurden weggelassen: { $names }.
notice-negative-cut = Das Ende des negativen Prompts passte nicht ins Modell und wurde nicht gelesen: „{ $text }“.
notice-brackets-are-text = Dieses Modell liest Klammern und BREAK als Text; sie gewichten hier nichts.
notice-negative-unused = Dieses Modell liest keinen negativen Prompt; er wurde weggelassen.
notice-first-frame = Diese Datei hat mehrere Einzelbilder; das erste wurde genommen.
notice-faces = { $count ->
        [0] Es wurde kein Gesicht von mindestens 48 Pixeln gefunden, also wurde keines ausgebessert.
        [one] Ein Gesicht mit { $model } ausgebessert.
       *[other] { $count } Gesichter mit { $model } ausgebessert.
    }
notice-faces-sharp = { $count ->
        [one] Ein Gesicht über { $limit } Pixel ist schon scharf und blieb, wie es war.
       *[other] { $count } Gesichter über { $limit } Pixel sind schon scharf und blieben, wie sie waren.
    }
notice-checked-later = Der Zeichner war beschäftigt oder startete gerade; der Inhaltsfilter sieht dein Bild beim Beginn des Auftrags. Lässt er es nicht durch, kostet es nichts.
notice-first-picture = Diese Nachricht hat mehrere Bilder; das erste wurde genommen.
notice-transparent = Die durchsichtigen Teile deines Bildes wurden weiß.
notice-use-alone = „{ $option }“ sagt, wofür ein Bild da ist. Es gab keines; die Angabe wurde weggelassen.
notice-attach-reference = { $option } nennt eine Adresse, und ein Link wird nie geöffnet. Häng das Bild als „bild“ an und wähl { $use } als „verwendung“.
notice-strength-unused = { $model } ändert so, wie die Worte es sagen; eine Stärke hat dort keine Wirkung und wurde weggelassen.
notice-strength-alone = Die Stärke gilt für ein Bild, von dem ausgegangen wird. Es gab keines; sie wurde weggelassen.
notice-part-unread = { $options } betrifft einen Teil eines Bildes und wurde weggelassen. Drücke 🖌️, 🔍 oder ↔️ unter einem Bild, um einen Teil davon zu ändern.
notice-creative-size = Die Größe folgt aus Bild und Faktor; die Größe im Prompt blieb deshalb weg.
notice-cut = Dein Bild hat eine andere Form als { size }; { $percent } % davon wurden { $where ->
    [sides] links und rechts
   *[ends] oben und unten
} abgeschnitten.

## Refusals: nothing was charged
refused-prompt-empty = Es gibt keinen Prompt. Sag, was du sehen möchtest, zum Beispiel: ein roter Apfel.
refused-prompt-long = Der Prompt hat { $length } Zeichen; { $limit } ist hier die Grenze. Kürze ihn und schick ihn noch einmal.
refused-negative-long = Der negative Prompt hat { $length } Zeichen; { $limit } ist hier die Grenze. Kürze ihn und schick ihn noch einmal.
refused-model = Ein Modell „{ $model }“ gibt es hier nicht. Wähle eines von: { $known }.
refused-sampler = Einen Sampler „{ $sampler }“ gibt es für dieses Modell nicht. Wähle einen von: { $known }.
refused-style = Einen Stil „{ $style }“ gibt es hier nicht. Wähle einen der Vorschläge, zum Beispiel: { $known }.
refused-no-styles = Hier gibt es keine Stile. Bitte den Betreiber, welche anzubieten, oder beschreibe im Prompt, was du möchtest.
refused-seed = Der Seed { $seed } liegt außerhalb der Grenzen. Nimm eine ganze Zahl von 0 bis { $limit }, oder lass ihn weg.
refused-size = „{ $given }“ ist keine Größe. Nimm square, portrait, landscape, wide, tall oder BREITExHÖHE, wie das Modell zeichnet; üblich hier: { size }.
refused-ratio = „{ $value }“ ist kein Seitenverhältnis. Schreib es so: --ar 16:9.
refused-option-empty = Hinter { $option } steht nichts. Schreib den Wert dahinter, oder lass es weg.
refused-typed-whole = „{ $value }“ ist keine ganze Zahl für { $option }. Schreib es so: --steps 30 --images 2 --seed 7.
refused-typed-number = „{ $value }“ ist keine Zahl für { $option }. Schreib es so: --steps 30 --cfg 6 --seed 7.
refused-model-unavailable = Das Modell „{ $model }“ geht gerade nicht. Wähle ein anderes; der Betreiber findet den Grund im Protokoll.
refused-model-fetching = Das Modell „{ $model }“ wird gerade heruntergeladen; { $percent } % sind da. Versuch es später damit, oder wähle jetzt ein anderes.
refused-worker-down = Gerade kann nichts gezeichnet werden: { $reason } Versuch es in ein paar Minuten noch einmal.
refused-blocked = { $until ->
        [never] Du darfst Easel auf diesem Server nicht benutzen.
       *[other] Du darfst Easel auf diesem Server nicht benutzen; das endet { $until }.
    }{ $reason ->
        [none] {""}
       *[other] {" "}Der genannte Grund: { $reason }
    }
    Frag einen Admin des Servers, wenn du das für falsch hältst.
refused-channel = Easel darf in diesem Kanal nicht benutzt werden. Frag in einem, in dem es erlaubt ist, oder bitte einen Admin, es hier zu erlauben.
refused-word = { $whose ->
        [server] Dieser Server
       *[owner] Dieses Easel
    } zeichnet keine Bilder mit „{ $word }“ (Regel { $rule }{ $reason ->
        [none] {""}
       *[other] : { $reason }
    }). Gefunden: „{ $part }“. Es wurde nichts berechnet.{ $until ->
        [none] {""}
       *[other] {" "}Das war die fünfte Ablehnung in zehn Minuten. Du kannst { $until } wieder etwas erbitten.
    }
refused-paused = Wortregeln haben dich fünfmal in zehn Minuten abgelehnt. Du kannst { $until } wieder etwas erbitten. Es wurde nichts berechnet.
refused-hard = Das kann nicht gezeichnet werden. Es wurde nichts berechnet.{ $until ->
        [none] {""}
       *[other] {" "}Das war die fünfte Ablehnung in zehn Minuten. Du kannst { $until } wieder etwas erbitten.
    }
refused-real-people = Dieses Easel zeichnet keine sexuellen Bilder echter Menschen. Gefunden: „{ $part }“. Es wurde nichts berechnet.{ $until ->
        [none] {""}
       *[other] {" "}Das war die fünfte Ablehnung in zehn Minuten. Du kannst { $until } wieder etwas erbitten.
    }
refused-hit-gone = Was hier abgelehnt wurde, ist nicht mehr aufbewahrt. Frag mit /imagine noch einmal.
refused-appeal-again = Die Moderation hat diese Ablehnung schon. Du erfährst, was sie entscheidet.
refused-appeal-not-yours = Nur wer darum gebeten hat, kann Einspruch erheben.
refused-appeal-none = Dagegen gibt es keinen Einspruch.
refused-appeal-often = Du hast an einem Tag { $most }-mal Einspruch erhoben; mehr geht nicht. Sag jemandem von der Moderation Bescheid, wenn es eilt.
refused-owners-rule = Das ist eine Regel des Betreibers von Easel. Die Moderation eines Servers kann sie nicht lockern.
refused-hidden = Der Inhaltsfilter hat dieses Bild verborgen, oder es ist nicht mehr da; aus ihm entsteht nichts. Mit /imagine bekommst du ein anderes.
refused-removed = Die Moderation hat diese Bilder entfernt; aus ihnen entsteht nichts mehr. Mit /imagine bekommst du ein anderes Bild.
refused-held = Erst entscheidet die Moderation, ob diese Bilder gezeigt werden.
refused-report-place = Meldungen gehen an die Moderation eines Servers, der Easel hinzugefügt hat; hier gibt es keine. Nimm „Nachricht melden“ von Discord im selben Menü, oder wende dich an die, denen dieser Ort gehört.{ $contact ->
        [none] {""}
       *[other] {" "}Verantwortlich für dieses Easel: { $contact }
    }
refused-report-nothing = Die Nachricht hat kein fertiges Bild von Easel; hier ist nichts zu melden. Für andere Nachrichten gibt es „Nachricht melden“ von Discord.
refused-report-own = Das ist dein eigenes Bild. Mit 🗑️ löschst du es.
refused-report-again = Das hast du schon gemeldet. Einmal genügt: die Moderation sieht es, bis sie entscheidet.
refused-report-often = Du hast an einem Tag { $most } Bilder gemeldet; mehr geht nicht. Sag einem Moderator Bescheid, wenn es eilt.
refused-report-reason = Das Formular kam ohne Grund an. Öffne das Menü der Nachricht und melde sie noch einmal.
refused-prompt-changes-too-often = Dieser Prompt wechselt in fast jedem Schritt, an zu vielen Stellen, um geprüft zu werden. Schreib weniger Wechsel. Es wurde nichts berechnet.
refused-word-rule = Es gibt keine Regel { $rule }; /admin words list zeigt die Nummern.
refused-picture-number = Es gibt kein gesperrtes Bild { $number }; /admin pictures list zeigt die Nummern.
refused-picture-blocks = Ein Server sperrt höchstens { $limit } Bilder. Erlaube erst einige wieder.
refused-word-rules = Ein Server hat höchstens { $limit } Regeln und { $limit } Ausnahmen. Entferne erst einige.
refused-word-asterisk = Ein Sternchen darf nur am Anfang und am Ende einer Regel stehen: cat, cat*, *cat oder *cat*.
refused-word-empty = Eine Regel braucht einen Buchstaben oder eine Ziffer.
refused-word-short = Eine Regel braucht mindestens zwei Buchstaben, denn einer allein steht überall.
refused-word-long = Eine Regel hat höchstens 60 Buchstaben.
refused-word-file = Nichts wurde eingelesen. In der Datei, auf Englisch: { $mistake }
refused-word-file-bytes = Nichts wurde eingelesen: Die Datei ist kein Text in UTF-8. Speichere sie als UTF-8.
refused-word-file-size = Nichts wurde eingelesen: Eine Datei hat zwischen einem Byte und { $limit } KiB.
refused-draining = Easel nimmt auf diesem Server gerade keine neuen Aufträge an; was wartet, wird noch gezeichnet. Versuch es später noch einmal.
refused-quota = Das kostet { $price }, und du hast noch { $left } von { $limit }. Dein Kontingent beginnt { $resets } neu.
refused-quota-too-big = Das kostet { $price }, und { $limit } ist alles, was ein Zeitraum hat. Bitte um weniger Bilder.
refused-pool = Das kostet { $price }, mehr als von dem übrig ist, was alle auf diesem Server zusammen haben. Es beginnt { $resets } neu.
refused-cooldown = Das war schnell. Du kannst { $until } wieder fragen.
refused-queued = Von dir { $count ->
        [one] wartet ein Auftrag
       *[other] warten { $count } Aufträge
    }, mehr ist hier nicht erlaubt. Brich einen ab oder warte, bis einer fertig ist.
refused-shutting-down = Easel startet gleich neu. Versuch es in einer Minute noch einmal.
refused-unsigned = Die Bilder müssen hier signiert werden, und das gelang nicht. Versuch es später noch einmal; der Betreiber findet den Grund im Protokoll.
refused-budget = Was { $model } in diesem Monat kosten darf, ist aufgebraucht, also wurde nichts gezeichnet. Wähle ein anderes Modell, oder komm nächsten Monat wieder.
refused-space = Die Festplatte des Rechners, auf dem Easel läuft, ist fast voll; deshalb wurde kein Auftrag angenommen und nichts berechnet. Versuch es später noch einmal; der Betreiber weiß davon.
refused-storage = Der Auftrag konnte nicht gespeichert werden, also wurde er nicht angenommen. Versuch es gleich noch einmal; der Betreiber findet den Grund im Protokoll.
refused-blanked-member = Worte und Bild dieses Auftrags sind gelöscht, weil sein Mitglied es so wollte. Mit `/imagine` beginnst du einen neuen.
refused-blanked-age = Easel behält Worte und Bilder hier nur einige Zeit, und die dieses Auftrags sind weg. Mit `/imagine` beginnst du einen neuen.
refused-blanked-server = Easel war nicht mehr auf diesem Server, und was es über diesen Auftrag wusste, ist weg. Mit `/imagine` beginnst du einen neuen.
refused-image-gone = Dieses Bild ist hier nicht mehr gespeichert, also kann nichts geschickt werden. Drücke 🔁 an seiner Nachricht, um es neu zu zeichnen.
refused-model-varies-not = { $model } zeichnet nur nach Text und kann kein Bild variieren. Drücke 🔁 für ein anderes, oder ✏️, um den Prompt zu ändern.
refused-varied-too-often = Dieses Bild steht am Ende von { $count } Variationen, weiter geht es nicht. Variiere ein früheres, oder drücke 🔁.
refused-no-direct-message = Deine Direktnachrichten sind für Easel geschlossen, also wurde nichts geschickt. Erlaube sie in den Privatsphäre-Einstellungen dieses Servers, oder sichere das Bild aus seiner Nachricht.
refused-not-yours-to-delete = Das kann nur löschen, wer danach gefragt hat, oder wer Nachrichten verwalten darf.
refused-no-picture = Diese Nachricht hat kein Bild. Wähle eine, die eines hat.
refused-picture-large = Diese Datei ist größer als { $limit } MiB. Mach das Bild kleiner und versuch es noch einmal.
refused-picture-format = Diese Datei kann hier nicht gelesen werden. Schick das Bild als PNG, JPEG oder WebP.
refused-picture-unreadable = Dieses Bild kann nicht gelesen werden; vielleicht ist seine Datei beschädigt oder abgeschnitten. Schick es noch einmal, als PNG, JPEG oder WebP.
refused-picture-heic = Das ist ein HEIC-Bild, wie iPhones sie speichern, und es kann hier nicht gelesen werden. Schick es als JPEG oder PNG.
refused-picture-pixels = Dieses Bild hat mehr als { $limit } Millionen Pixel; mehr wird hier nicht gelesen. Mach es kleiner und versuch es noch einmal.
refused-picture-sides = Eine Seite dieses Bildes ist kürzer als { $lowest } oder länger als { $highest } Pixel. Schick eines in anderer Größe.
refused-picture-ratio = Dieses Bild ist mehr als { $limit }-mal so lang wie breit. Schneide einen Teil aus und schick den.
refused-picture-shape = Die Kopie hat eine andere Form als das Bild. Speichere das Bild, male darauf, ohne es zuzuschneiden, und schick es zurück.
refused-picture-unmarked = Auf dieser Kopie ist nichts gemalt. Übermale in einer kräftigen Farbe, was sich ändern soll, oder kreuze Teile des Bildes an.
refused-upscale-picture = Eine Seite dieses Bildes ist länger als { $limit } Pixel; mehr wird hier nicht vergrößert. Mach das Bild kleiner oder schneide einen Teil aus und versuch es noch einmal.
refused-upscale-scale = { $given } ist kein Faktor, der angeboten wird. Wähle einen von diesen: { $known }.
refused-upscale-result = Das Ergebnis hätte { $width }×{ $height } Pixel, mehr als die { $limit } Millionen, die hier möglich sind. { $fitting ->
        [none] Mach das Bild kleiner und versuch es noch einmal.
       *[other] Wähle { $fitting } als Faktor, oder mach das Bild kleiner.
    }
refused-creative-unknown = { $given } ist kein Wert von „creative“. Wähle einen von diesen: { $known }.
refused-creative-alone = Ein Prompt wirkt nur, wo Einzelheiten neu gezeichnet werden. Wähle subtle oder strong als „creative“, oder lass den Prompt weg.
refused-creative-faces = Mit „creative“ werden auch die Gesichter neu gezeichnet. Lass „creative“ oder „faces“ weg.
refused-creative-prompt = In der Datei dieses Bildes steht kein Prompt. Schreib als „prompt“, was das Bild zeigt, damit die Einzelheiten gezeichnet werden können.
refused-creative-model = { $model } kann kein vergrößertes Bild neu zeichnen. Diese können es: { $known }. Nenne eines im Prompt, etwa --model { $known }.
refused-creative-nowhere = Kein Modell hier kann ein vergrößertes Bild neu zeichnen. Lass „creative“ weg, dann wird es so größer, wie es ist.
refused-creative-size = { $model } kann keine { $width }×{ $height } Pixel zeichnen. { $fitting ->
        [none] Schick ein Bild von anderer Größe, oder lass „creative“ weg.
       *[other] Wähle { $fitting } als Faktor, oder lass „creative“ weg.
    }
refused-cutout-nowhere = Hier wird nichts angeboten, was einen Hintergrund durchsichtig macht. Wer Easel betreibt, kann es in den Katalog aufnehmen.
refused-upscale-nowhere = Hier wird nichts angeboten, was Bilder vergrößert. Wer Easel betreibt, kann es in den Katalog aufnehmen.
refused-typed-picture = Ein Bild wird angehängt und nicht getippt; ein Link wird nie geöffnet. Lass { $option } weg und häng das Bild als Angabe „bild“ an.
refused-address = Ein Link wird nie geöffnet, und sonst stand nichts im Prompt. Sag, was du sehen möchtest; ein Bild, von dem ausgegangen wird, kannst du als Angabe „bild“ anhängen.
refused-image-model = { $model } kann nicht von einem Bild ausgehen. Diese können es: { $known }.
refused-image-nowhere = Kein Modell hier kann von einem Bild ausgehen. Lass es weg und beschreib es stattdessen im Prompt.
refused-picture-gone = Dieses Bild ist hier nicht mehr gespeichert. Drücke 🔁 an seiner Nachricht, um eines neu zu zeichnen, und ändere dann jenes.
refused-input-gone = Ein Bild, von dem das ausgeht, liegt hier nicht mehr. Häng es an ein neues /imagine an.
refused-flagged-input = Der Inhaltsfilter lässt das Bild nicht durch, das du gegeben hast. Es wurde nichts berechnet, und das Bild wurde nicht behalten. Versuch es mit einem anderen.
refused-use-unknown = „{ $use }“ ist keine Verwendung eines Bildes. Wähl eine für { $option }: { $known }.
refused-use-map = Fertige Karten gibt es nur für lines, scribble, depth und pose. Lass „map“ hinter { $use } weg.
refused-use-network = { $model } hat für { $use } kein „{ $network }“. Wähle eines von diesen: { $known }.
refused-use-model = { $model } kann { $use ->
        [style] nicht im Stil eines Bildes zeichnen
        [subject] nicht zeichnen, was ein Bild zeigt
        [face] nicht das Gesicht eines Bildes zeichnen
        [composition] nicht so anordnen wie in einem Bild
        [lines] keinen Linien folgen
        [scribble] keiner groben Zeichnung folgen
        [depth] nicht dem folgen, was in einem Bild nah und fern ist
        [pose] keine Haltung aus einem Bild nehmen
       *[edit] kein Bild so ändern, wie der Prompt es sagt
    }. Diese können es: { $known }.
refused-use-nowhere = Kein Modell hier kann { $use ->
        [style] im Stil eines Bildes zeichnen
        [subject] zeichnen, was ein Bild zeigt
        [face] das Gesicht eines Bildes zeichnen
        [composition] so anordnen wie in einem Bild
        [lines] Linien folgen
        [scribble] einer groben Zeichnung folgen
        [depth] dem folgen, was in einem Bild nah und fern ist
        [pose] eine Haltung aus einem Bild nehmen
       *[edit] ein Bild so ändern, wie der Prompt es sagt
    }. Wähl eine andere Verwendung, oder lass das Bild weg und beschreib es im Prompt.
refused-two-starts = Ausgegangen wird von einem Bild. { $known ->
        [none] { $model } hat für ein zweites keine andere Verwendung; lass eines weg.
       *[other] Wähl für eines davon eine andere Verwendung: { $known }.
    }
refused-start-and-edit = Zu einem Bild, das geändert wird, passt keines, von dem ausgegangen wird. Wähl edit für beide, oder lass eines weg.
refused-picture-model = { $model } ändert Bilder und zeichnet allein keines: Häng eines als image an. Diese zeichnen nur nach Worten: { $known }.
refused-picture-nowhere = { $model } ändert Bilder und zeichnet allein keines: Häng eines als image an.
refused-several-model = { $model } ändert ein Bild auf einmal. Diese nehmen mehrere: { $known }.
refused-several-nowhere = Kein Modell hier ändert mehrere Bilder auf einmal. Lass alle bis auf eines weg.
refused-mask-model = { $model } kann keinen Ausschnitt eines Bildes neu zeichnen. Diese können es: { $known }.
refused-mask-nowhere = Kein Modell hier kann einen Ausschnitt eines Bildes neu zeichnen. Drücke ✏️, um das ganze zu ändern.
refused-part-nowhere = Kein Modell hier findet, was Wörter nennen. Kreuze Kästchen an, oder übermale eine Kopie des Bildes.
refused-part-later = Der Teil war gerade nicht zu finden. Versuch es gleich noch einmal, oder kreuze Kästchen an.
refused-part-unseen = Nichts wie „{ $words }“ wurde im Bild gefunden. Nimm andere Wörter, kreuze Kästchen an, oder übermale eine Kopie.
refused-copy-use = Eine übermalte Kopie sagt, welcher Teil eines Ausgangsbildes sich ändert. Wähle dafür start, oder lass die Kopie weg.
refused-region-empty = Nichts ist markiert. Kreuze mindestens einen Teil des Bildes an, oder häng eine Kopie an, auf die du gemalt hast.
refused-region-gone = Vom Ausschnitt bliebe nichts übrig. Lass ihn, wie er ist, oder drücke einen anderen Knopf.
refused-pan-long = { $model } macht dieses Bild nicht länger. Zoome stattdessen heraus, oder schwenke zu einer anderen Seite.
refused-no-parameters = Die Datei dieses Bildes sagt nicht, wie es entstand. Viele Orte entfernen das beim Hochladen.
refused-picture-forgotten = Easel hat das ausgesuchte Bild nicht mehr. Öffne das Menü seiner Nachricht noch einmal.
refused-unknown-job = Dieser Knopf gehört zu einem Auftrag, den Easel nicht mehr kennt. Frag mit /imagine neu.
refused-not-yours = Das kann nur abbrechen, wer danach gefragt hat, oder wer Nachrichten verwalten darf.
refused-no-pictures = Dieser Auftrag hat keine Bilder.
refused-already-over = Dieser Auftrag ist schon zu Ende; es gibt nichts abzubrechen.
refused-words-blocked = Die automatische Moderation nimmt hier keine Antwort mit diesen Worten an. Versuch andere, oder frag Easel in einer Direktnachricht.
over-kept = Dieser Auftrag ist zu Ende: Seine Bilder konnten hier nicht gezeigt werden. /reihe hat sie, und es wurde nichts berechnet.
over-handed-over = Dieser Auftrag ist zu Ende: Seine Bilder konnten hier nicht gezeigt werden und kamen als Direktnachricht zu dir.
over-moved = Dieser Auftrag ist zu Ende: { $job } zeigt, was daraus wurde.
your-prompt = -# Dein Prompt: { $prompt }
error-discord = Discord nahm die Antwort nicht an, darum wurde nichts daraus. Es wurde nichts berechnet. Versuch es gleich noch einmal.
error-unexpected = Bei uns ging etwas schief. Es wurde nichts berechnet. Versuch es noch einmal; geschieht es wieder, nenne dem Betreiber den Fehler { $error_id }.

## Prompts with several jobs
expansion-morph = { $frames } Bilder von „{ $start }“ zu „{ $end }“ zeichnen, als eine Animation?
expansion-hopeless = **Was aus diesem Prompt entsteht, wird ihm nicht gleichen.** Den Auftrag trotzdem starten?
expansion-question = **Dieser Prompt steht für { $count } Aufträge.** Starten?
expansion-prompt = { $number }. { $prompt }
expansion-more = … und { $count } weitere.
expansion-price = { $count ->
        [one] Er kostet { $price }
       *[other] Zusammen kosten sie { $price }
    }; du hast noch { $left }.
expansion-price-unlimited = { $count ->
        [one] Er kostet { $price }.
       *[other] Zusammen kosten sie { $price }.
    }
expansion-some = Gerade { $count ->
        [one] kann nur der erste
       *[other] können nur die ersten { $count }
    } starten. Zum nächsten: { $sentence }
expansion-hint = -# Geschweifte Klammern stehen für mehrere Prompts. Um Worte zu betonen, schreib (runde Klammern); damit eine Klammer bleibt, wie sie ist, setz einen Backslash davor.
expansion-started = { $count ->
        [one] Der Auftrag ist gestartet und hat eine eigene Nachricht.
       *[other] { $count } Aufträge sind gestartet, jeder mit einer eigenen Nachricht.
    }
expansion-started-some = { $count } von { $asked } Aufträgen sind gestartet. Die anderen nicht, und sie kosten nichts: { $sentence }
expansion-dismissed = Nichts wurde gestartet, nichts berechnet.
button-start = { $count ->
        [one] Trotzdem zeichnen
       *[other] { $count } Aufträge starten
    }
button-dismiss = Abbrechen
refused-concepts = Dieser Prompt hat { $count } Teile um AND, und { $limit } sind das Höchste. Verbinde einige davon mit Kommas.
refused-sum-model = { $model } liest einen Prompt als einen Satz und kann darum keine Wörter zusammenzählen. Schreib ihn ohne das = am Anfang, oder wähle ein Modell der Familie Stable Diffusion 1, 2 oder XL.
refused-sum-empty = Diese Summe zählt nichts zusammen, das man zeichnen könnte. Beginn sie mit dem, was das Bild zeigt: = a red apple - red + blue
refused-sum-long = Diese Summe hat { $count } Glieder, und { $limit } sind das Höchste. Lass einige weg.
refused-upscale-seed = { $model } kann dasselbe Bild kein zweites Mal zeichnen, darum kann dieser Knopf es nicht vergrößern. /upscale vergrößert jedes Bild.
refused-morph-model = { $model } kann nicht zwischen zwei Prompts zeichnen. Diese Modelle können es: { $known }.
refused-morph-several = Jedes Ende einer Verwandlung ist ein Bild, aber dieser Prompt steht für mehrere. Nimm die geschweiften Klammern heraus.
refused-morph-concepts = Jedes Ende einer Verwandlung wird aus einem Prompt gezeichnet. Verbinde die Teile um AND mit Kommas.
refused-morph-styles = Beide Enden einer Verwandlung brauchen dieselben Stile. Schreib in beide Prompts dieselben Tags, oder keine.
refused-morph-negative = Eine Verwandlung hat einen negativen Prompt für alle Bilder. Nimm aus dem letzten Prompt, was vermieden werden soll, und nutz die Option dafür.
refused-morph-picture = Eine Verwandlung beginnt mit einem Bild allein aus Wörtern, und dieses entstand aus einem anderen Bild.
refused-morph-sampler = { $sampler } gibt in jedem Schritt anderes Rauschen dazu, darum würden Bilder verschiedener Seeds springen. Nimm an beiden Enden denselben Seed, oder einen Sampler ohne „a“ oder „SDE“ im Namen.
refused-morph-options = Eine Verwandlung hat die Optionen ihres ersten Bildes. Nimm sie aus dem letzten Prompt heraus.
refused-making-of-model = { $model } zeichnet in einem Stück und zeigt keine Schritte, darum gibt es keine Entstehung. Bilder anderer Modelle haben eine.
refused-too-many-prompts = Dieser Prompt steht für mehr als { $limit } Aufträge, und mehr sind hier nicht erlaubt. Nimm einige Varianten heraus, oder setz einen Backslash vor jede Klammer, die für sich selbst steht.
refused-expansion-started = Diese Aufträge sind schon gestartet, soweit es ging. Dieser Druck hat nichts mehr gestartet und nichts mehr berechnet. /reihe zeigt die wartenden.
refused-expansion-over = Diese Frage ist nicht mehr offen; der Druck hat nichts gestartet und nichts berechnet. Frag noch einmal, mit dem Befehl oder dem Knopf von vorhin.
refused-expansion-price = Die Preise haben sich seit der Frage geändert, darum wurde nichts gestartet. Frag noch einmal, dann siehst du den neuen Preis.
refused-no-message = Discord nimmt hier gerade keine weiteren Nachrichten von Easel. Bitte um die anderen mit /imagine.
refused-template = „{ $sign }“ bedeutet hier nichts. Schreib aus, wofür es steht, oder setz einen Backslash vor die Klammer, damit sie bleibt, wie sie ist; „{ $picks }“ sind zwei von dreien.
refused-wildcard = Eine Wortliste „{ $name }“ gibt es hier nicht. Nimm sie heraus, oder setz einen Backslash davor, damit es bleibt, wie es ist.
refused-wildcard-near = Eine Wortliste „{ $name }“ gibt es hier nicht. Meintest du { $near }? Sonst setz einen Backslash davor, damit es bleibt, wie es ist.
refused-wildcard-endless = Die Wortlisten bei „{ $name }“ sind zu viele für einen Prompt, oder sie nennen einander ohne Ende. Nimm einige heraus. Sag es dem Betreiber, wenn du nur eine genannt hast.
refused-wildcard-broken = Die Wortliste „{ $name }“ lässt sich nicht lesen. Nimm sie heraus; der Betreiber findet den Grund im Protokoll.

## Failures
failure-invalid-request = Das Modell kann das Verlangte nicht; versuch andere Angaben.
failure-unfit-sampler = Der Sampler passt nicht zu diesem Modell. Wähle einen anderen oder gib keinen an: Dann wird der übliche des Modells genommen.
failure-flagged-input = Der Inhaltsfilter lässt das Bild nicht durch, das dieser Auftrag bekam. Es wurde nichts gezeichnet, und das Bild wurde hier gelöscht. Versuch es mit einem anderen.
failure-model-unavailable = Dateien des Modells oder eines Netzes, das es verwenden sollte, fehlen oder sind kaputt, also konnte nichts gezeichnet werden. Wähle ein anderes Modell oder andere Optionen; der Betreiber findet den Grund im Protokoll.
failure-out-of-memory = Das ist zu groß für die GPU hier. Versuch eine kleinere Größe oder weniger Bilder.
failure-broken-image = Das Bild zerfiel in kaputte Zahlen. Versuch einen anderen Seed oder ein kleineres CFG.
failure-device-error = Die GPU fiel mitten im Auftrag aus. Versuch es gleich noch einmal.
failure-worker-died = Der Worker endete zweimal mitten im Auftrag. Versuch eine kleinere Größe; der Betreiber findet den Grund im Protokoll.
failure-worker-hung = Der Worker blieb zweimal mitten im Auftrag stehen. Versuch es später noch einmal.
failure-host-lost = Die Rechner, die diesen Auftrag zeichneten, gingen immer wieder verloren. Versuch es später noch einmal.
failure-engine-failed = Das Programm, das dieses Modell zeichnet, meldete einen Fehler, also wurde nichts gezeichnet. Versuch andere Optionen oder ein anderes Modell; der Betreiber findet den Grund im Protokoll.
failure-refused-elsewhere = Der Dienst, der dieses Modell zeichnet, lehnte den Prompt nach eigenen Regeln ab. Nimm andere Worte oder ein anderes Modell.
failure-maybe-billed = Die Verbindung zum Dienst, der dieses Modell zeichnet, ging verloren. Das Bild kann dort bezahlt worden sein, darum wird es nicht von selbst noch einmal gezeichnet. Starte den Auftrag neu, wenn du magst.
failure-timeout = Der Auftrag dauerte länger als hier erlaubt und wurde beendet. Versuch weniger Schritte oder eine kleinere Größe.
failure-internal = Beim Zeichnen ging bei uns etwas schief. Versuch es noch einmal.
failure-storage = Die Bilder wurden gezeichnet, aber die Festplatte des Rechners, auf dem Easel läuft, nahm einige Minuten lang keines davon. Bitte seinen Betreiber, Platz zu schaffen, und versuch es dann noch einmal.
failure-unsigned = Die Bilder wurden gezeichnet, aber sie ließen sich nicht signieren, und unsignierte zeigt Easel hier nicht. Es wurde nichts berechnet. Versuch es später noch einmal; der Betreiber findet den Grund im Protokoll.
failure-delivery = Die Bilder wurden gezeichnet, aber Discord nahm sie hier nicht an. /reihe hat sie.
failure-not-allowed = Die Moderation hat es angesehen und zeigt es hier nicht.
failure-not-reviewed = Einen Tag lang hat es niemand von der Moderation angesehen, also wird es nicht gezeigt.
failure-message-gone = Die Nachricht wurde gelöscht, also gab es keinen Ort für die Bilder.
failure-not-permitted = Easel darf hier nicht mehr schreiben: Ein Recht fehlt, oder der Thread ist gesperrt; ein Admin kann das ändern. /reihe hat die Bilder.
failure-too-large = Die Bilder sind größer, als Discord hier erlaubt. /reihe hat sie; sonst versuch eine kleinere Größe oder weniger Bilder.
failure-input-gone = Ein Bild, von dem dieser Auftrag ausgeht, liegt hier nicht mehr. Häng es an ein neues /imagine an.
failure-unanswered = Discord hat nie gezeigt, dass der Auftrag angenommen wurde.
failure-waited = Der Auftrag wartete länger als hier erlaubt. Versuch es später noch einmal.

## Quota
quota-unlimited = Du kannst hier so viel zeichnen lassen, wie du möchtest.
quota-state = { $period ->
        [hour] In dieser Stunde
        [day] Heute
        [week] Diese Woche
       *[month] Diesen Monat
    } noch { $left } von { $limit }.
quota-bonuses = Davon aus Boni, die zuerst genommen werden: { $bonuses }.
quota-bonus = { $left }
quota-bonus-ends = { $left } (endet { $ends })
quota-used = Benutzt: { $used }.
quota-in-flight = Unterwegs: { $in_flight }.
quota-resets = Beginnt { $resets } neu.
quota-price = Ein Bild mit den üblichen Angaben kostet { $price }.
quota-obstacle = Gerade jetzt: { $sentence }
period-hour = Stunde
period-day = Tag
period-week = Woche
period-month = Monat

## Grids
command-grid = Ein Bild mit anderen Werten von einer oder zwei Angaben, nebeneinander auf einem Blatt
option-grid-x = Was sich von Spalte zu Spalte unterscheidet
option-grid-y = Was sich von Zeile zu Zeile unterscheidet
option-grid-values = Etwa 1, 4, 7 oder 1-10 (+3) oder 1-30 [6]; * = alle Sampler; bei words wird das erste ersetzt
grid-question = **Ein Raster aus { $count ->
        [one] einem Bild
       *[other] { $count } Bildern
    }.** Nur was die Achsen nennen, ist verschieden; alle haben einen Seed.
grid-started = { $count ->
        [one] Das Bild wird gezeichnet.
       *[other] Die { $count } Bilder werden gezeichnet, einige auf einmal.
    }
grid-head = **{ $prompt }**
    -# Ein Raster für <@{ $requester_id }>
alt-grid = Ein Raster von „{ $prompt }“: { $axes }
grid-drawn = { $drawn } von { $count } gezeichnet.
grid-failed = { $count ->
        [one] Eines konnte nicht gezeichnet werden und kostet nichts.
       *[other] { $count } konnten nicht gezeichnet werden und kosten nichts.
    }
grid-cancelled = Der Rest wurde abgebrochen und kostet nichts.
grid-take = Ein Bild herausnehmen…
grid-taken = Dieses Bild hat schon eine eigene Nachricht: { $job }.
grid-cell-waits = wartet
grid-cell-failed = gescheitert
grid-cell-cancelled = abgebrochen
refused-grid-axis = Eine Achse braucht einen Namen und Werte. Wähle { $known }, und schreib ihre Werte als 1, 4, 7.
refused-grid-empty = Für { $axis } gibt es keinen Wert. Schreib welche, etwa 1, 4, 7.
refused-grid-number = „{ $value }“ ist keine Zahl und kein Bereich für { $axis }. Schreib 1, 4, 7 oder 1-10 (+3) oder 1-30 [6].
refused-grid-many = Das ergibt { $count } Bilder, und ein Raster hat höchstens { $most }. Schreib weniger Werte.
refused-grid-twice = Beide Achsen sind { $axis }. Wähle für y eine andere, oder lass sie weg.
refused-grid-words = „{ $words }“ steht nicht im Prompt, also kann nichts an seine Stelle treten. Schreib es so, wie es dort steht.
refused-grid-style = Die Achse style ändert das Gewicht einer LoRA. Wähle eine als Angabe stil.
refused-grid-prompts = Ein Raster hat einen Prompt, und dieser steht für mehrere. Nimm die Achse words statt der Klammern.
refused-grid-images = Dieses Modell zeichnet mehrere Bilder auf einmal, also kein Raster. Wähle ein anderes Modell.
refused-grid-price = Die { $count } Bilder kosten { $price }, und du hast noch { $left }. Schreib weniger Werte.
refused-sheet-over = Dieses Raster wird als Ganzes nicht mehr aufbewahrt. Seine Bilder findest du mit /verlauf.

## Finished pictures of a member
command-history = Deine fertigen Bilder: nach Wörtern, Modell oder Tag, mit ihren Knöpfen
command-favourites = Die Bilder mit deinem Stern, mit ihren Knöpfen
option-history-words = Wörter, die im Prompt stehen
option-history-model = Das Modell, von dem sie sind
option-history-since = Der erste Tag, etwa 2026-11-29, oder ein Monat, etwa 2026-11
option-history-until = Der letzte Tag, etwa 2026-11-29, oder ein Monat, etwa 2026-11
option-history-starred = Nur die mit deinem Stern
choice-days-ago = { $count ->
        [0] Heute ({ $day })
        [1] Gestern ({ $day })
       *[other] Vor { $count } Tagen ({ $day })
    }
history-head = **Deine Bilder**
history-head-favourites = **Deine Favoriten**
history-words = mit „{ $words }“
history-since = ab { $day }
history-until = bis { $day }
history-line = **{ $number }** · { $job } { $prompt }
    -# { $model } · { $day }{ $star }
history-open = Öffnen { $number }
history-newer = ◀ Neuere
history-older = Ältere ▶
history-zip = 📦 ZIP
history-adults = Bilder aus Kanälen mit Altersbeschränkung erscheinen nur in solchen Kanälen und in Direktnachrichten.
history-nothing = Von dir ist hier kein fertiges Bild gespeichert. Frag mit /imagine nach einem.
history-nothing-starred = Kein gespeichertes Bild hat deinen Stern. Drücke ⭐ unter einem, damit es bleibt.
history-nothing-fits = Kein Bild passt. Such nach weniger Wörtern, einem anderen Modell oder mehr Tagen.
history-zip-sent = { $count ->
        [one] Hier ist das Bild dieser Suche.
       *[other] Hier sind { $count } Bilder dieser Suche, die neuesten zuerst.
    }
history-zip-cut = Größere Dateien nimmt Discord nicht. Such für die älteren mit `bis:{ $day }` und drücke noch einmal 📦.
history-zip-large = { $count ->
        [one] Ein Bild ist für jede Datei hier zu groß. 📩 an seiner Nachricht schickt es.
       *[other] { $count } Bilder sind für jede Datei hier zu groß. 📩 an ihren Nachrichten schickt sie.
    }
refused-history-page = Diese Seite kennt Easel nicht mehr. Nimm noch einmal /verlauf.
refused-history-empty = Von diesen Bildern ist keines mehr gespeichert. Nimm noch einmal /verlauf.
refused-history-large = Jedes dieser Bilder ist für eine Datei hier zu groß. 📩 an der Nachricht eines Bildes schickt es.
refused-history-adults = Dieses Bild entstand in einem Kanal mit Altersbeschränkung. Nimm /verlauf dort oder in einer Direktnachricht an Easel.
refused-history-words = Diese Wörter sind zu lang. Such nach höchstens { $most } Zeichen; Emoji zählen doppelt.
refused-history-days = { $since } kommt nach { $until }; so bleibt kein Tag. Vertausche sie.
refused-no-day = „{ $words }“ ist kein Tag, den Easel lesen kann. Schreib ihn wie 2026-11-29, oder einen Monat wie 2026-11.
refused-not-deleted = Easel darf die Nachricht von { $job } von hier aus nicht löschen, also wurde nichts gelöscht. Drücke 🗑️ unter jener Nachricht.

## The member's own queue
command-queue = Deine Aufträge, wann sie dran sind, und wie du sie abbrichst
queue-mine = **Deine Aufträge in der Reihe**
queue-mine-empty = Von dir steht nichts in der Reihe. Frag mit /imagine nach einem Bild.
queue-job = { $job } { $prompt }
    -# { $state }
queue-kept = Gezeichnet, konnte aber nicht gezeigt werden. Es wurde nichts berechnet.
queue-running = Wird gerade gezeichnet.
queue-cancelling = Wird gerade abgebrochen.
queue-cancelled = Auftrag { $job_id } ist abgebrochen. Es wurde nichts berechnet.
queue-more = Und { $count } weitere, die nach diesen beginnen.
queue-server = -# Auf diesem Server: { $queued } warten, { $running } laufen.
queue-state = -# { $state ->
        [paused] Die Reihe dieses Servers hält an; es geht weiter, wenn ein Admin sie öffnet.
       *[draining] Dieser Server nimmt gerade keine neuen Aufträge an; was wartet, wird noch gezeichnet.
    }
job-number = #{ $job_id }
job-number-image = #{ $job_id }, Bild { $number }

## Admins: commands
command-admin = Was die entscheiden, die diesen Server verwalten
command-admin-quota = Was Mitglieder benutzen dürfen
command-admin-quota-set = Festlegen, wie viel ein Mitglied, eine Rolle oder alle benutzen dürfen
command-admin-quota-pool = Festlegen, wie viel alle Mitglieder zusammen benutzen dürfen
command-admin-quota-grant = Einem Mitglied einen Bonus geben
command-admin-quota-reset = Zurückgeben, was ein Mitglied in diesem Zeitraum benutzt hat
command-admin-quota-show = Was einem Mitglied bleibt, und die neuesten Einträge
command-admin-quota-report = Ein Diagramm und eine Tabelle dessen, was benutzt wurde
command-admin-block = Ein Mitglied nichts mehr fragen lassen
command-admin-unblock = Ein gesperrtes Mitglied wieder fragen lassen
command-admin-warn = Ein Mitglied verwarnen; es zählt 30 Tage und wird einmal gesagt
command-admin-pause = Ein Mitglied eine Weile um nichts bitten lassen
command-admin-channel = Wo Easel benutzt werden darf, und die Vorgaben dort
command-admin-words = Wörter, mit denen keine Bilder erbeten werden dürfen
command-admin-pictures = Die Bilder, die dieser Server sperrt
command-admin-pictures-block = Ein Bild sperren: nichts Ähnliches wird hier gezeigt oder verwendet
command-admin-pictures-unblock = Ein Bild wieder erlauben
command-admin-pictures-list = Nummern und Gründe gesperrter Bilder zeigen
command-admin-words-add = Eine Regel hinzufügen oder die mit diesem Wort ändern
command-admin-words-remove = Eine Regel entfernen
command-admin-words-list = Regeln und Ausnahmen dieses Servers
command-admin-words-except = Ein Wort trotz einer Regel dieses Servers erlauben; noch einmal nimmt es zurück
command-admin-words-import = Die Regeln einer Datei hinzufügen
command-admin-words-test = Was die Regeln in einem Prompt finden; zeichnet nichts
command-admin-queue = Was wartet und läuft; anhalten, öffnen, leeren oder abbrechen
command-admin-status = Wie es Easel geht
command-admin-audit = Wer was entschieden hat, das Neueste zuerst
command-admin-review = Meldungen, Einsprüche und zurückgehaltene Bilder, über die niemand entschieden hat
option-admin-amount = Eine ganze Zahl, „unlimited“, oder „default“, um die Regel zu entfernen
option-admin-period = Wie oft es neu beginnt
option-admin-quota-user = Nur für dieses Mitglied
option-admin-quota-role = Nur für Mitglieder mit dieser Rolle
option-admin-user = Das Mitglied
option-admin-grant-amount = Wie viel; wird vor dem Kontingent genommen
option-admin-expires = Wann es endet, wie 12h, 7d oder 2w; ohne Angabe nie
option-admin-reason = Warum; steht im Protokoll der Entscheidungen
option-admin-picture = Das Bild; auch Kopien, die so aussehen, werden gefunden
option-admin-picture-reason = Warum; Admins lesen es
option-admin-picture-number = Nummer des Bildes, wie /admin pictures list sie zeigt
option-admin-word = cat; cat* beginnt so, *cat endet so, *cat* enthält es; oder mehrere Wörter
option-admin-word-action = Ablehnen, zeichnen und es dem Mitglied sagen, oder vor dem Zeigen die Moderation fragen
option-admin-word-reason = Warum; Mitglieder lesen es
option-admin-word-kind = Wo im Wort es gefunden wird, statt Sternchen
option-admin-word-rule = Nummer der Regel, wie /admin words list sie zeigt
option-admin-word-exception = Das Wort oder die Wörter
option-admin-word-file = Ein Text mit einer Regel je Zeile, oder eine Datei .toml
option-admin-word-prompt = Der Prompt
choice-word-refuse = ablehnen
choice-word-warn = warnen
choice-word-review = review: gezeichnet und gezeigt, wenn die Moderation zustimmt
choice-word-whole = das ganze Wort
choice-word-begins = Wörter, die so beginnen
choice-word-ends = Wörter, die so enden
choice-word-contains = Wörter, die es enthalten
option-admin-reason-notified = Warum; das Mitglied liest es auch
option-admin-for = Wie lange, wie 12h, 2d oder 1w; ohne Angabe für immer
option-admin-pause-for = Wie lange, etwa 1h, 12h oder 2d
option-admin-use = Easel dort erlauben oder verbieten; ohne Angabe werden die Regeln gezeigt
option-admin-channel = Welcher Kanal; ohne Angabe dieser
option-admin-everywhere = Vorgaben und content gelten im ganzen Server, wo Kanal oder Mitglied keine eigenen haben
option-admin-reports = Wo die Moderation Meldungen und Einsprüche liest; derselbe noch einmal nimmt es zurück
option-admin-showcase-channel = Der Kanal; derselbe noch einmal beendet die Galerie
option-admin-showcase-stars = Wie viele andere Mitglieder einen Stern geben müssen; sonst 3
command-admin-showcase = Zeigt in einem Kanal Bilder mit Sternen, wenn einverstanden ist, wer sie zeichnen ließ
option-admin-content = Welche Bilder dort gezeigt werden, auch in den Threads
option-admin-default = Gilt dort, wenn jemand nicht nennt: { $option ->
        [model] ein Modell
        [size] eine Größe
        [steps] die Schritte
        [cfg] das CFG
        [sampler] einen Sampler
        [images] wie viele Bilder
       *[negative] was nicht zu sehen sein soll
    }
option-admin-action = Was zu tun ist; ohne Angabe wird die Reihe gezeigt
option-admin-cancel = Die Nummer eines Auftrags, der abgebrochen wird
option-admin-days = Wie viele Tage, heute eingeschlossen
choice-allow = Erlauben
choice-forbid = Verbieten
choice-default = Wie üblich: Regel und Vorgaben entfernen
choice-content-strict = streng: nur harmlose Bilder, auch unter Erwachsenen
choice-content-usual = wie üblich
choice-show = Zeigen
choice-pause = Anhalten: Aufträge annehmen, keine beginnen
choice-resume = Öffnen: wie üblich
choice-drain = Leeren: keine Aufträge annehmen, wartende zeichnen

## Admins: refusals
refused-not-admin = Dieser Befehl ist für die, die den Server verwalten dürfen. Frag jemanden von ihnen.
refused-user-and-role = Das nennt ein Mitglied und eine Rolle. Wähle eines von beiden, oder keines, um es für alle festzulegen.
refused-amount = „{ $value }“ ist keine Menge. Nimm eine ganze Zahl von 0 bis { $limit }, „unlimited“, oder „default“, um die Regel zu entfernen.
refused-duration = „{ $value }“ ist keine Dauer. Schreib sie wie 12h, 7d oder 2w; zehn Jahre sind das meiste.
refused-bot = Bots können Easel nichts fragen. Wähle einen Menschen.
refused-everywhere = Vorgaben des ganzen Servers lassen sich nicht zusammen mit einem Kanal oder mit Erlauben oder Verbieten setzen. Lass das weg, oder lass „everywhere“ weg.
refused-reports-channel = Easel darf in dem Kanal nicht schreiben. Lass es den Kanal sehen und dort Nachrichten senden, dann setze ihn noch einmal.
refused-showcase-channel = Easel darf in dem Kanal nicht schreiben. Lass es den Kanal sehen und dort Nachrichten senden, dann setze ihn noch einmal.
refused-one-at-a-time = Das sind zwei Dinge auf einmal. Brich zuerst den Auftrag ab, dann ändere die Reihe.
refused-no-such-job = Einen Auftrag { $job_id } gibt es auf diesem Server nicht. Die Nummer steht am Anfang jeder Zeile von /admin queue.

## Admins: quota
admin-rule = { $amount ->
        [none] ohne Grenze
       *[other] { $amount } { $period ->
            [hour] in der Stunde
            [day] am Tag
            [week] in der Woche
           *[month] im Monat
        }
    }
admin-rule-set = { $subject ->
        [user] <@{ $id }> hat { $rule ->
            [none] keine eigene Regel mehr; es gilt die der Rollen oder des Servers.
           *[other] jetzt eine eigene Regel: { $rule }.
        }
        [role] Mitglieder mit <@&{ $id }> haben { $rule ->
            [none] keine Regel dieser Rolle mehr; es gilt die des Servers.
           *[other] jetzt eine Regel: { $rule }. Wer mehrere solche Rollen hat, bekommt die beste.
        }
        [pool] Alle Mitglieder zusammen haben { $rule ->
            [none] keine Regel mehr; es gilt nur die jedes einzelnen.
           *[other] jetzt eine Regel: { $rule }.
        }
       *[server] Der Server hat { $rule ->
            [none] keine eigene Regel mehr; es gilt die des Betreibers.
           *[other] jetzt eine Regel: { $rule } für jedes Mitglied.
        }
    }
admin-granted = <@{ $user_id }> hat einen Bonus von { $amount }, der vor dem Kontingent genommen wird. { $ends ->
        [none] Er endet nicht.
       *[other] Er endet { $ends }.
    }
admin-reset = { $units ->
        [0] <@{ $user_id }> hatte in diesem Zeitraum nichts benutzt, also wurde nichts zurückgegeben.
       *[other] <@{ $user_id }> hat { $units } zurück, alles, was in diesem Zeitraum benutzt war.
    }
admin-show-rule = <@{ $user_id }>: { $rule }, { $source ->
        [user] nach eigener Regel.
        [role] nach der Regel von <@&{ $role_id }>.
        [server] nach der Regel des Servers.
       *[host] nach der Vorgabe des Betreibers.
    }
admin-show-left = { $left } übrig, { $used } benutzt, { $in_flight } unterwegs. Beginnt { $resets } neu.
admin-show-unlimited = { $used } benutzt, { $in_flight } unterwegs.
admin-show-bonus = { $ends ->
        [none] Bonus: { $left } übrig, ohne Ende.
       *[other] Bonus: { $left } übrig, endet { $ends }.
    }
admin-show-obstacle = Kann hier gerade nicht fragen: { $obstacle ->
        [blocked] gesperrt.
        [channel] Easel darf in diesem Kanal nicht benutzt werden.
        [draining] die Reihe nimmt keine neuen Aufträge an.
        [cooldown] hat eben erst gefragt.
        [queued] hat so viele Aufträge in der Reihe wie erlaubt.
        [pool] alle zusammen haben verbraucht, was sie dürfen.
       *[quota] das Kontingent ist verbraucht.
    }
admin-show-entries = **Neueste Einträge**
admin-show-no-entries = Es gibt noch keine Einträge.
admin-entry = { $when } { $kind ->
        [reserve] Auftrag { $job_id }: { $reserved } reserviert
        [settle] Auftrag { $job_id }: { $captured } berechnet, { $released } zurückgegeben
        [grant] Bonus von { $granted } von <@{ $actor_id }>
       *[adjust] { $returned } zurückgegeben von <@{ $actor_id }>
    }
admin-reason = („{ $reason }“)
admin-more = Und { $count } weitere.

## Admins: members and channels
admin-blocked = { $ends ->
        [none] <@{ $user_id }> darf auf diesem Server nichts mehr fragen.
       *[other] <@{ $user_id }> darf auf diesem Server nichts fragen; das endet { $ends }.
    }
admin-blocked-jobs = { $count ->
        [one] Der laufende Auftrag ist abgebrochen.
       *[other] Die { $count } laufenden Aufträge sind abgebrochen.
    }
admin-notified = Die Person weiß es.
admin-not-notified = Die Person konnte es nicht erfahren, da sie von hier keine Direktnachrichten annimmt.
blocked-notice = { $ends ->
        [none] Du darfst Easel auf { $server } nicht mehr benutzen.
       *[other] Du darfst Easel auf { $server } vorerst nicht benutzen; das endet { $ends }.
    }{ $reason ->
        [none] {""}
       *[other] {" "}Der genannte Grund: { $reason }
    }
    Frag einen Admin des Servers, wenn du das für falsch hältst.
admin-warned = <@{ $user_id }> ist verwarnt. Die Verwarnung zählt 30 Tage.
warned-notice = Die Moderation von { $server } hat dich verwarnt: { $reason }
    Die Verwarnung zählt 30 Tage.
warning-reason = dein Bild { $job } passt nicht zu den Regeln des Servers.
warning-reason-words = dein Prompt passt nicht zu den Regeln des Servers.
admin-reports-set = Meldungen der Mitglieder stehen in <#{ $channel_id }>.
admin-reports-none = Kein Kanal zeigt mehr Meldungen der Mitglieder. /admin review zählt sie auf.
admin-showcase-set = { $stars ->
    [one] <#{ $channel_id }> zeigt jedes Bild mit einem Stern eines anderen Mitglieds, wenn einverstanden ist, wer es zeichnen ließ.
   *[other] <#{ $channel_id }> zeigt jedes Bild mit Sternen von { $stars } anderen Mitgliedern, wenn einverstanden ist, wer es zeichnen ließ.
}
admin-showcase-none = Die Galerie ist zu Ende. Was sie zeigt, bleibt.
admin-unblocked = <@{ $user_id }> darf wieder fragen.
admin-not-blocked = <@{ $user_id }> ist nicht gesperrt; es gibt nichts zurückzunehmen.
admin-channel-set = Festgelegt. { $rule }
admin-channel-cleared = <#{ $channel_id }> hat keine Regel und keine Vorgaben mehr.
admin-channels = { $default ->
        [everywhere] Easel darf in jedem Kanal benutzt werden.
        [only-allowed] Easel darf nur benutzt werden, wo es erlaubt ist:
       *[elsewhere] Easel darf in jedem Kanal benutzt werden, außer in diesen:
    }
admin-channel-row = <#{ $channel_id }>: { $use ->
        [allowed] erlaubt
        [forbidden] verboten
       *[none] wie überall
    }{ $defaults ->
        [none] {""}
       *[other] ; Vorgaben: { $defaults }
    }{ $content ->
        [strict] ; nur harmlose Bilder
        [usual] ; Bilder wie üblich
       *[none] {""}
    }
admin-server-cleared = Der ganze Server hat keine Regel für Bilder und keine Vorgaben mehr.
admin-server-row = Ganzer Server: { $content ->
        [strict] nur harmlose Bilder
       *[other] Bilder wie üblich
    }{ $defaults ->
        [none] {""}
       *[other] ; Vorgaben: { $defaults }
    }
preference-negative_prompt = ohne
preference-guidance_scale = CFG
preference-num_inference_steps = Schritte
preference-size = Größe
preference-scheduler_name = Sampler
preference-num_images = Bilder
preference-model_key = Modell

## Admins: queue, status, audit
admin-queue-set = { $state ->
        [paused] Die Reihe hält an: Aufträge werden angenommen und beginnen, wenn sie geöffnet wird.
        [draining] Die Reihe wird leer: keine neuen Aufträge, die wartenden werden gezeichnet.
       *[open] Die Reihe ist offen: Aufträge werden angenommen und beginnen.
    }
admin-queue-state = { admin-queue-set }
admin-queue-counts = { $queued } warten, { $running } laufen.
admin-queue-oldest = Der älteste wartet seit { $since }.
admin-queue-running = { $job } für <@{ $user_id }>, begonnen { $since }
admin-cancelled = Auftrag { $job_id } von <@{ $user_id }> ist abgebrochen. Es wurde nichts berechnet.
status-worker = Der Worker { $state ->
        [starting] startet.
        [ready] { $phase ->
            [loading] ist bereit und lädt ein Modell.
            [running] ist bereit und zeichnet.
           *[idle] ist bereit und wartet.
        }
        [restarting] wird neu gestartet.
        [unusable] kann nicht arbeiten; der Betreiber muss das beheben.
       *[stopped] ist angehalten.
    }
status-host = Rechner { $name }: { $state ->
    [expected] noch nicht gehört
    [away] weg
    [starting] startet
    [unusable] nicht zu gebrauchen; siehe Protokoll
    [draining] nimmt keine Aufträge mehr
    [resting] ruht, weil er versagte oder viel zu langsam war; siehe Protokoll
    [drawing] zeichnet { $running } von { $capacity }
   *[ready] bereit
}{ $device ->
    [none] {""}
   *[other] {" "}({ $device })
}
status-more-hosts = { $count } weitere Rechner; `easel hosts list` nennt alle.
status-models = Modelle: { $models }
status-no-model = keines
status-missing = Es fehlen: { $models }
status-device = Gerät: { $name } ({ $device }, { $dtype }{ $vram ->
        [none] {""}
       *[other] , { $vram } GiB
    })
status-memory = Speicher des Workers: { $gib } GiB
status-money = Dienste in diesem Monat: { $spent } von { $budget }
status-queue = Auf diesem Server: { $queued } warten, { $running } laufen.
status-failures = In der letzten Stunde: { $failed } von { $ended } Aufträgen schlugen fehl.
status-quiet = In der letzten Stunde endete kein Auftrag.
status-waits = Wartezeit bis zum Beginn: die Hälfte höchstens { $p50 }, 95 % höchstens { $p95 }.
status-other = **Ein zweites Easel läuft mit demselben Token**: Es nahm { $count ->
        [one] eine Anfrage
       *[other] { $count } Anfragen
    } statt diesem hier, die letzte { $last }. Dieses Easel erstattet solche Anfragen. Der Betreiber sollte eines der beiden beenden oder ihm einen eigenen Bot geben.
status-unsigned = ⚠️ { $count } Bilder gingen seit dem Start ohne Signatur hinaus; das Protokoll sagt, warum.
status-storage = **Die Festplatte nimmt nichts mehr** seit { $since }: Kein Bild lässt sich aufbewahren, und kein Auftrag beginnt. Schaff Platz auf dem Rechner, auf dem Easel läuft. Sein Protokoll nennt den Grund.
status-space = **Die Festplatte ist fast voll**, seit { $since }: Kein Auftrag wird angenommen. Schaff Platz auf dem Rechner von Easel, oder senke `storage.min_free_gb`.
status-version = Easel { $version }, Neustarts des Workers: { $restarts }
duration-seconds = { $seconds } s
duration-minutes = { $minutes } min { $seconds } s
admin-audit-empty = Hier wurde noch nichts entschieden.
words-added = Regel { $rule }: „{ $word }“ wird { $action ->
        [review] gezeichnet und gezeigt, wenn die Moderation zustimmt.
        [warn] gezeichnet, und das Mitglied erfährt davon.
       *[refuse] abgelehnt.
    }
words-removed = Regel { $rule } („{ $word }“) ist entfernt.
words-excepted = { $is_there ->
        [yes] „{ $word }“ ist jetzt erlaubt, obwohl eine Regel dieses Servers ihr Wort darin findet.
       *[no] „{ $word }“ ist keine Ausnahme mehr.
    }
words-imported = Hinzugefügt: { $rules ->
        [one] eine Regel
       *[other] { $rules } Regeln
    }, { $exceptions ->
        [one] eine Ausnahme
       *[other] { $exceptions } Ausnahmen
    }.
picture-blocked = Bild { $number } ist gesperrt: Nichts, was so aussieht, wird auf diesem Server gezeigt, und nichts wird daraus gezeichnet. Was in älteren Nachrichten steht, bleibt.
picture-unblocked = Bild { $number } ist wieder erlaubt.
pictures-none = Dieser Server sperrt keine Bilder.
picture-line = { $number }. gesperrt { $when }{ $reason ->
        [none] {""}
       *[other] : { $reason }
    }
words-none = Dieser Server hat keine Wortregeln.
words-rule = { $rule }. „{ $word }“: { $action ->
        [review] ansehen
        [warn] warnen
       *[refuse] ablehnen
    }{ $reason ->
        [none] {""}
       *[other] , { $reason }
    }
words-exception = Erlaubt: „{ $word }“
words-hit = „{ $part }“ wird als „{ $word }“ gelesen ({ $how }), Regel { $rule } { $whose ->
        [server] dieses Servers
       *[owner] des Betreibers
    }: { $action ->
        [allow] erlaubt durch die Ausnahme „{ $exception }“.
        [review] wird gezeichnet und gezeigt, wenn die Moderation zustimmt.
        [warn] wird gezeichnet, und das Mitglied erfährt davon.
       *[refuse] wird abgelehnt.
    }
words-list = Die Liste „{ $list }“ hat die Zeile „{ $line }“; darin findet Regel { $rule } { $whose ->
        [server] dieses Servers
       *[owner] des Betreibers
    } „{ $word }“.
words-no-hit = Keine Regel findet etwas darin.
how-plain = wie geschrieben
how-looks = ähnlich aussehende Zeichen
how-sounds = Buchstaben einer anderen Schrift
how-signs = Zeichen statt Buchstaben
how-inside = Zeichen im Wort
how-hidden = ein Zeichen, das einen Buchstaben verbirgt
how-repeated = wiederholte Buchstaben
how-apart = einzelne Buchstaben
how-turned = Buchstaben auf dem Kopf
how-language = die Promptsprache
admin-audit-row = { $when } <@{ $actor_id }> { $action ->
        [quota-set] legte das Kontingent fest für { $subject ->
            [server] den Server
            [pool] alle zusammen
           *[other] { $subject }
        }: { $detail }
        [quota-grant] gab { $subject } einen Bonus von { $detail }
        [quota-adjust] änderte, was { $subject } benutzt hat: { $detail }
        [block] sperrte { $subject } { $detail }
        [unblock] entsperrte { $subject }
        [channel] setzte { $subject ->
            [server] den Server
           *[other] { $subject }
        } auf { $detail }
        [queue] setzte die Reihe auf { $detail }
        [hard-rule] bat um etwas, das die feste Regel verbietet ({ $detail })
        [reports-channel] hat den Kanal für Meldungen gesetzt: { $subject }
        [case-veil] hat Auftrag { $detail } von { $subject } nach drei Meldungen hinter einen Spoiler gestellt
        [case-keep] hat an Auftrag { $detail } von { $subject } nichts gefunden
        [case-spoiler] hat Auftrag { $detail } von { $subject } hinter einen Spoiler gestellt
        [case-remove] hat Auftrag { $detail } von { $subject } entfernt
        [warn] hat { $subject } verwarnt
        [appeal-keep] hat eine Ablehnung von { $subject } bestätigt (Fall { $detail })
        [appeal-allow-once] hat einen abgelehnten Prompt von { $subject } einmal erlaubt (Fall { $detail })
        [appeal-except] hat nach einem Einspruch von { $subject } eine Ausnahme gemacht (Fall { $detail })
        [case-show] hat Auftrag { $detail } von { $subject } zeigen lassen
        [case-refuse] hat Auftrag { $detail } von { $subject } nicht zeigen lassen
        [words-add] fügte die Regel „{ $subject }“ hinzu ({ $detail })
        [words-remove] entfernte die Regel „{ $subject }“
        [words-except] änderte die Ausnahme „{ $subject }“ ({ $detail })
        [words-import] las { $detail } Regeln und Ausnahmen ein
        [picture-block] sperrte ein Bild, Nummer { $subject }
        [picture-unblock] erlaubte das Bild { $subject } wieder
        [cancel] brach Auftrag { $detail } von { $subject } ab
       *[other] { $action } { $subject } { $detail }
    }

## Admins: report
report-summary = { $days ->
        [1] Heute:
       *[other] Die letzten { $days } Tage:
    } { $units } benutzt von { $members ->
        [1] einem Mitglied
       *[other] { $members } Mitgliedern
    } in { $jobs ->
        [1] einem Auftrag.
       *[other] { $jobs } Aufträgen.
    }
report-summary-empty = { $days ->
        [1] Heute wurde nichts benutzt.
       *[other] In den letzten { $days } Tagen wurde nichts benutzt.
    }
report-by-day = Benutzt an jedem Tag, nach Modell
report-by-user = Benutzt nach Mitglied
report-nothing = Es wurde nichts benutzt
report-others = andere
report-member = Mitglied …{ $digits }

## Names of commands and options: lower case, without blanks
name-quota = kontingent
name-queue = reihe
name-grid = raster
name-history = verlauf
name-favourites = favoriten
name-words = wörter
name-since = seit
name-until = bis
name-starred = stern
name-settings = einstellungen
name-negative = ohne
name-steps = schritte
name-size = größe
name-images = bilder
name-model = modell
name-style = stil
name-image = bild
name-picture = bild
name-strength = stärke
name-use = verwendung
name-image2 = bild2
name-use2 = verwendung2
name-styles = stile

## Help
command-help = Wie Easel benutzt wird, mit Beispielen zum Ausprobieren
option-topic = Worüber du etwas wissen möchtest
name-help = hilfe
name-topic = thema
topic-start = Erste Schritte
topic-prompts = Prompts
topic-options = Angaben
topic-buttons = Knöpfe
topic-quota = Kontingent und Reihe
topic-words = Wörter
topic-settings = Meine Einstellungen
topic-models = Modelle
topic-midjourney = Von Midjourney kommend
topic-admins = Für Admins
help-start = Gib `/imagine` ein, sag, was du sehen möchtest, und drücke Enter. Eine einzige Nachricht zeigt, wo du in der Reihe stehst, dann das Bild, während es entsteht, dann das fertige Bild mit seinen Knöpfen. Was nicht ankommt, kostet nichts.
help-prompts = Sag, was zu sehen sein soll: Dinge, ihre Farben und Orte, einen Stil; Modelle verstehen am besten Englisch. `(word:1.3)` gibt einem Wort mehr Gewicht, `[word]` weniger; `[blue:red:0.5]` wechselt auf halbem Weg vom einen zum anderen, `[cat|dog]` bei jedem Schritt; mit `BREAK` beginnt ein neuer Teil. `{ $bars }` oder `{ $commas }` macht aus jedem einen Prompt; was alle kosten, wird gesagt, bevor sie beginnen. Aus `__name__` wird ein Wort der Liste dieses Namens, wo der Betreiber eine führt.
help-options = `/imagine` hat für jede ein Feld: bis zu { $images } Bilder, bis zu { $steps } Schritte, CFG bis { $cfg }, Größe, Sampler, Seed, Modell und Stil. Jede kannst du auch in den Prompt tippen: `--schritte 30`, `--ohne Regen`; auch `--no` und `--ar 16:9`. Was über einer Grenze liegt, wird gesenkt und gesagt; gleicher Seed und gleiche Angaben zeichnen das gleiche Bild noch einmal. Häng als `bild` ein Bild an, von dem ausgegangen wird oder das dem dient, was du als `verwendung` wählst; `stärke` sagt, wie viel sich daran ändert. `/raster` zeigt auf einem Blatt, was eine Angabe bewirkt.
help-buttons = `U1` bis `U4` und Vergrößern zeichnen dieses Bild größer, `V1` bis `V4` und Variieren zeichnen andere daneben. 🔁 fragt noch einmal mit einem anderen Seed, ✏️ mit anderen Worten oder Angaben. 🖌️ ändert einen Ausschnitt, den du ankreuzt oder übermalst, 🔍 zeichnet auf allen Seiten mehr, ↔️ auf einer. ⭐ bewahrt die Dateien für immer auf, 📩 schickt sie dir unverändert, ℹ️ sagt, wie sie entstanden, 🗑️ löscht die Nachricht. Was du drückst, wird für dich und zu deinem Preis gezeichnet; Knöpfe werden nie alt. Das Menü jeder Nachricht hat unter Apps noch mehr, auch *Easel: melden*: das sagt der Moderation, was an einem Bild nicht stimmt. `/verify` sagt, woher die Datei eines Bildes kommt. `/verlauf` findet deine Bilder auf jedem Server wieder, `/favoriten` die mit deinem ⭐.
help-quota = `/kontingent` sagt, was dir noch bleibt und wann es neu beginnt. `/reihe` zeigt deine Aufträge, wann sie beginnen, und zu jedem einen Knopf zum Abbrechen; auch Bilder, die nirgends gezeigt werden konnten, warten dort. Alle kommen abwechselnd dran, darum halten viele Aufträge des einen die anderen nicht auf.
help-settings = `/einstellungen` merkt sich Modell, Größe, Schritte, CFG, Sampler, Bilder und was du nicht sehen möchtest. Was du in einem Befehl sagst, kommt zuerst, dann die Vorgaben des Kanals, dann deine, dann die des Servers, dann die des Modells. `ping` sagt, ob du benachrichtigt wirst, wenn ein Auftrag von über 30 Sekunden fertig ist. `/privacy` zeigt, exportiert und löscht, was über dich gespeichert ist.
help-models = Du wählst eines mit dem Feld `modell` von `/imagine`.
help-midjourney = `/imagine` liest, was du gewohnt bist: `--ar 16:9`, `--no Regen`, `--seed 7`, `--iw 2`, `red apple::2 pear::1`, `{ $commas }`, und einen ganzen eingefügten Befehl. Was hier nichts bedeutet, steht unter dem Bild, mit dem, was dasselbe tut. `/info` heißt hier `/kontingent`, `/prefer` `/einstellungen`, und `/blend` verbindet Bilder, wo ein Modell das kann. Deine Bilder findest du mit `/verlauf`, deine ⭐ mit `/favoriten`. U, V, 🔁, Zoom und Schwenken stehen unter jedem Bild; *Remix* ist immer da: ✏️. Statt einer Adresse hinter `--sref` häng das Bild an und wähle, wozu es da ist.
help-admins = Für Mitglieder, die den Server verwalten dürfen. `/admin quota` legt fest, wer wie viel benutzen darf, gibt Boni und zeigt, was benutzt wurde; `/admin channel` sagt, wo Easel benutzt werden darf, mit welchen Vorgaben, und ob dort nur harmlose Bilder gezeigt werden (`content`); `/admin words` legt fest und probiert, mit welchen Wörtern keine Bilder erbeten werden, `/admin pictures` sperrt Bilder. `/admin warn`, `/admin pause` und `/admin block` gelten einem Mitglied. `/admin channel reports` wählt, wo Meldungen und Einsprüche der Mitglieder stehen, `/admin review` zählt sie auf. `/admin queue` hält an, setzt fort, lässt auslaufen und bricht ab; `/admin status` und `/admin audit` sagen, wie es läuft und wer was entschieden hat.
help-model = • **{ $title }**{ $usual ->
        [yes] {" "}(wo keines genannt wird)
       *[no] {""}
    }{ $description ->
        [none] {""}
       *[other] : { $description }
    } · { size }, { $steps } Schritte
help-words = Ein Modell kennt die Wörter, mit denen es gelernt hat, am besten englische.
help-model-words = **{ $title }** kennt wenige Wörter, und zeichnet sie in jeder Mischung:
    • Dinge: { $things }
    • Farben der Dinge und der Hintergründe: { $colors }
    • one, two, three, four; small, big; on the left, on the right, at the top, at the bottom; next to, above, below
    • Orte: { $places }; by day, at sunset, at night; in the rain, in the fog, snowfall{ $styles ->
        [none] {""}
       *[other] {""}
    • Stile: { $styles }
    }
help-all-words = Die Modelle hier kennen die meisten Wörter. Frag den Betreiber nach Namen von Stilen und nach besonderen Wörtern.
help-more-models = Und { $count } weitere; das Feld schlägt alle vor.
help-more = -# Mehr mit `/hilfe`: { $topics }.
button-try = Ausprobieren
refused-topic = Zu „{ $topic }“ gibt es keine Hilfe. Wähle eines von: { $known }.
refused-example-gone = Dieses Beispiel stammt aus einer früheren Hilfe. Die heutige zeigt dir /hilfe.

## Where a picture comes from
command-verify = Sagt, woher ein Bild kommt
option-verify-picture = Die Datei eines Bildes: PNG, JPEG oder WebP
verify-head = Woher es kommt
verify-intact = Hier gemacht{ $at ->
        [unknown] {""}
       *[other] {" "}am { $at }
    } und seitdem unverändert.
verify-key-retired = Hier gemacht; mit einem Schlüssel unterschrieben, der nicht mehr benutzt wird.
verify-key-stolen = Das trägt eine Unterschrift von uns, aber andere haben vielleicht diesen Schlüssel, und das Bild ist keines von denen, die hier gemacht wurden. Trau ihm nicht.
verify-saved-anew = Hier gemacht. Die Datei wurde unterwegs neu gespeichert; die Bildpunkte sind dieselben.
verify-changed = Das trägt unsere Unterschrift, wurde aber nachträglich verändert. Trau ihm nicht.
verify-alike = Sieht aus wie etwas, das hier gemacht wurde. Das beweist nichts.
verify-foreign = Unterschrieben mit einem Zertifikat, das sich „{ $signer }“ nennt; { $vouched ->
        [yes] der Betreiber dieses Easel bürgt dafür
       *[no] niemand, den wir kennen, bürgt dafür
    }. Es sagt: { $made ->
        [ai] mit KI gemacht
       *[other] gemacht
    }{ $has_tool ->
        [yes] , von „{ $tool }“
       *[no] {""}
    }{ $count ->
        [0] {""}
        [one] , aus einem Bild
       *[other] , aus { $count } Bildern
    }.
verify-broken = Seine Content Credentials passen nicht zum Bild.
verify-claimed = Es sagt von sich, dass es mit KI gemacht wurde{ $has_tool ->
        [yes] {" "}(von „{ $tool }“)
       *[no] {""}
    }. Das kann jeder schreiben.
verify-nothing = Nichts gefunden. Das heißt nicht, dass keine KI benutzt wurde.
verify-job = { $job } für <@{ $requester_id }>{ $at ->
        [told] {""}
       *[other] , { $at }
    }: { $prompt }
verify-elsewhere = Von diesem Easel gemacht, anderswo.
refused-verify-often = Du kannst nach { $most } Bildern in der Minute fragen. Warte kurz und frag dann wieder.

## Messages to the owner of the bot
owner-other-instance = Ein zweites Easel läuft mit dem Token dieses Bots. Es hat eine Anfrage beantwortet, die dieses Easel dann erstattet hat; so wird nichts doppelt gezeichnet oder berechnet. Aber jedes kennt nur seine eigenen Aufträge und Kontingente. Beende eines der beiden, oder gib ihm einen eigenen Bot.
owner-appeal = Ein Mitglied sagt, dass eine deiner Wortregeln (safety.words) einen Prompt zu Unrecht abgelehnt hat. Die Moderation des Servers sieht ihn in /admin review; nur du kannst die Regel ändern.
owner-trouble = ⚠️ { $sentence }
    Seit { $since }. Diese Nachricht ändert sich, sobald es vorbei ist.
owner-well = ✅ Seit { $ended } ist es wieder gut. Es war: { $sentence }

## Privacy

command-privacy = Was Easel über dich speichert
command-privacy-show = Sieh, was über dich gespeichert ist, wie lange und bei wem
command-privacy-export = Hol dir einmal am Tag als Dateien, was über dich gespeichert ist
command-privacy-delete = Lösche deine Worte und Bilder, oder alles
privacy-head = Was Easel über dich speichert
privacy-words = • Worte: { $jobs } Aufträge mit deinen Prompts, deinem Namen und deiner Sprache, { $days ->
    [0] bis du sie löschst.
   *[other] { $days } Tage lang, mit ⭐ länger.
    }
privacy-pictures = • Bilder: { $pictures }, die für dich gemacht wurden, und { $given }, die deine Aufträge bekamen, { $days ->
    [0] bis du sie löschst.
   *[other] { $days } Tage lang, mit ⭐ länger.
    }
privacy-settings = • Deine { $stars } ⭐ und deine Einstellungen{ $settings ->
    [0] {" "}(keine).
   *[other] .
    }
privacy-ledger = • { $entries } Einträge über Einheiten, die du verbraucht oder bekommen hast, für immer.
privacy-decisions = • { $decisions } Ablehnungen durch Regeln und Entscheidungen von Moderatoren über dich, { $audit } Tage lang; Verwarnungen und abgelehnte Prompts { $hits } Tage lang. { $reports } Meldungen von dir.
privacy-elsewhere = • Das Protokoll hat Nummern und Zeiten, nie deine Worte. Nachrichten speichert Discord. Kopien der Datenbank haben, was an ihrem Tag da war.
privacy-ways = `/privacy export` gibt dir alles als Dateien. `/privacy delete` löscht deine Worte und Bilder; oder alles, und dann tritt eine zufällige Zahl an die Stelle deiner ID, sodass nur Summen bleiben. Eine Sperre oder ein Kontingent, das Admins für dich festgelegt haben, bleibt, bis es endet.
privacy-contact = Verantwortlich: { $contact }
privacy-policy = Datenschutzerklärung: { $url }
privacy-delete-choice = Was soll gelöscht werden?
    • **Worte und Bilder**: deine Prompts, dein Name, die für dich gemachten Bilder, auch die, denen andere einen ⭐ gaben, und die, die du angehängt hast; deine Sterne und Einstellungen. Deine Aufträge, die warten oder laufen, enden und werden gutgeschrieben.
    • **Alles**: auch deine ID, in jeder Tabelle. Eine zufällige Zahl tritt an ihre Stelle. Du kannst die Nachrichten dieser Aufträge dann nicht mehr mit 🗑️ löschen, und Boni sind verloren. Was du in diesem Zeitraum verbraucht hast, Sperren und Verwarnungen behalten deine ID, bis sie enden.
    Auch die Nachrichten deiner neuesten 500 Aufträge verlieren Worte und Bilder, eine pro Sekunde. Bilder, die andere aus deinen gemacht haben, bleiben ihre.
privacy-sure-words = Das lässt sich nicht rückgängig machen. Deine Worte und Bilder löschen?
privacy-sure-everything = Das lässt sich nicht rückgängig machen. Alles löschen, was zu dir führt?
privacy-button-words = Worte und Bilder
privacy-button-everything = Alles
privacy-button-sure = Endgültig löschen
privacy-button-keep = Behalten
privacy-deleting = Wird gelöscht…
privacy-deleted = Gelöscht: Worte und Bilder von { $jobs } Aufträgen. Dabei beendet und gutgeschrieben: { $cancelled }. Ihre Nachrichten folgen, eine pro Sekunde.
privacy-kept = Nichts wurde gelöscht.
privacy-export-part = Teil { $count }
privacy-export-done = Das ist alles, in { $count } Teilen. Zeiten in den Dateien sind Millisekunden seit 1970.{ $left_out ->
    [0] {""}
   *[other] {" "}Dateien, die für Discord hier zu groß und nicht dabei sind: { $left_out }; frag den Betreiber dieses Easel danach.
    }
privacy-export-cut = Es ist mehr, als in { $count } Teile passt; frag den Betreiber dieses Easel nach allem.
refused-export-often = Du kannst einmal am Tag exportieren; das nächste Mal { $again }.
