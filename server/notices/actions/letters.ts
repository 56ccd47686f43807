// Letters: from a kind and what it is about to subject, text and HTML in the reader's language. No link that opens
// something is written here: linkMark stands in its place until the mail is sent or shown.
import type { Language } from '../../context.js';
import type { MessageParams } from '../../errors.js';
import type { House } from '../../house.js';
import { readSettings, wordsIn } from '../../instances/settings.js';
import { isOptional } from '../rules.js';
import { type LetterKind, type LetterLine, linkMark, stopMark } from '../schema.js';

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
  given: MessageParams,
  { hasLink, lines = [] }: { hasLink: boolean; lines?: readonly LetterLine[] },
): Promise<Letter> {
  const params = inOneLine(given);
  const settings = await readSettings(house.store);
  const t = house.i18n.translator(language, wordsIn(settings, language));
  const model = {
    hello: t('mail.hello', { name: 'none', ...params }),
    // A copy of answers has lines of its own; elsewhere a line end in a name makes none.
    paragraphs: t(`mail.${kind}.text`, params)
      .split('\n\n')
      .map((text) => text.trim())
      .map((text) => ({ text, lines: kind === 'surveyCopy' ? text.split('\n') : [text] })),
    button: hasLink ? t(`mail.${kind}.button`, params) : null,
    lines: lines.map(({ text, href }) => ({ text: oneSpace(text), href })),
    link: hasLink ? linkMark : null,
    stop: isOptional(kind) ? stopMark : null,
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

/** A title or name with line ends in it writes no paragraph of its own. A copy of answers has lines. */
function inOneLine(params: MessageParams): MessageParams {
  const said = Object.entries(params).map(([name, value]) => {
    return [name, typeof value === 'string' && name !== 'copy' ? oneSpace(value) : value] as const;
  });
  return Object.fromEntries(said);
}

function oneSpace(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

/** A name with a line end in it stays one line; anything else that could end a header is refused when sending. */
function oneLine(subject: string): string {
  return oneSpace(subject).slice(0, 200);
}
