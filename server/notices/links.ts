// The address of a letter's button, put in its place when the mail is sent or shown; never before, so that the store
// holds no link that opens something.
import type { House } from '../house.js';
import { readLink, signLink } from '../secrets.js';
import { isOptional } from './rules.js';
import { type LetterLink, linkMark, type Mail, stopMark } from './schema.js';

/** The address of the letter's button. Always on this server, from the configured base address. */
export function linkAddress(house: Pick<House, 'site' | 'secret'>, link: LetterLink): string {
  const token = 'purpose' in link ? signLink(house.secret, link.purpose, link.id) : '';
  return `${house.site.baseUrl}${link.path}${token}`;
}

const stopPurpose = 'unsubscribe';

/** Where mails of this kind to this person are stopped, by one click (RFC 8058); null: they always go out. */
export function stopAddress(
  house: Pick<House, 'site' | 'secret'>,
  mail: Pick<Mail, 'kind' | 'personId'>,
): string | null {
  if (mail.personId === null || !isOptional(mail.kind)) return null;
  return `${house.site.baseUrl}/unsubscribe/${signLink(house.secret, stopPurpose, `${mail.kind}~${mail.personId}`)}`;
}

/** Whose mails of which kind such an address stops; null: it is not one of ours. */
export function readStop(house: Pick<House, 'secret'>, token: string): { personId: string; kind: string } | null {
  const [kind, personId] = readLink(house.secret, stopPurpose, token)?.split('~') ?? [];
  return personId === undefined || kind === undefined ? null : { personId, kind };
}

/** The private addresses of a person's feeds. */
export function feedAddresses(house: Pick<House, 'site' | 'secret'>, feedId: string): { atom: string; ics: string } {
  const base = `${house.site.baseUrl}/feeds/${signLink(house.secret, 'feed', feedId)}`;
  return { atom: `${base}.atom`, ics: `${base}.ics` };
}

/** The mail's text and HTML with its addresses in place. */
export function withLink(
  house: Pick<House, 'site' | 'secret'>,
  mail: Pick<Mail, 'text' | 'html' | 'link' | 'kind' | 'personId'>,
): { text: string; html: string } {
  const link = mail.link ? linkAddress(house, mail.link) : '';
  const put = (written: string) =>
    written.replaceAll(linkMark, link).replaceAll(stopMark, stopAddress(house, mail) ?? house.site.baseUrl);
  return { text: put(mail.text), html: put(mail.html) };
}
