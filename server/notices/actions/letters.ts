// Letters: from a kind and what it is about to subject, text and HTML in the reader's language. No link that opens
// something is written here: linkMark stands in its place until the mail is sent or shown.
import type { Language } from '../../context.js';
import type { MessageParams } from '../../errors.js';
import type { House } from '../../house.js';
import { readSettings, wordsIn } from '../../instances/settings.js';
import { type LetterKind, linkMark } from '../schema.js';

export interface Letter {
  subject: string;
  text: string;
  html: string;
}

type Writer = Pick<House, 'store' | 'views' | 'i18n' | 'site'>;

export async function writeLetter(
  house: Writer,
  kind: LetterKind,
  language: Language,
  params: MessageParams,
  hasLink: boolean,
): Promise<Letter> {
  const settings = await readSettings(house.store);
  const t = house.i18n.translator(language, wordsIn(settings, language));
  const model = {
    hello: t('mail.hello', { name: 'none', ...params }),
    paragraphs: t(`mail.${kind}.text`, params)
      .split('\n\n')
      .map((text) => ({ text, lines: text.split('\n') })),
    button: hasLink ? t(`mail.${kind}.button`, params) : null,
    link: hasLink ? linkMark : null,
    why: t(`mail.${kind}.why`, params),
    instance: settings.name,
    home: house.site.baseUrl,
  };
  const frame = { language, t, timeZone: settings.timeZone, settings };
  return {
    subject: oneLine(t(`mail.${kind}.subject`, params)),
    text: house.views.render('mails/text', model, frame, null),
    html: house.views.render('mails/html', model, frame, null),
  };
}

/** A name with a line end in it stays one line; anything else that could end a header is refused when sending. */
function oneLine(subject: string): string {
  return subject.replace(/\s+/g, ' ').trim().slice(0, 200);
}
