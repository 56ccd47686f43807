// The address of a letter's button, put in its place when the mail is sent or shown; never before, so that the store
// holds no link that opens something.
import type { House } from '../house.js';
import { signLink } from '../secrets.js';
import { type LetterLink, linkMark, type Mail } from './schema.js';

/** The address of the letter's button. Always on this server, from the configured base address. */
export function linkAddress(house: Pick<House, 'site' | 'secret'>, link: LetterLink): string {
  const token = 'purpose' in link ? signLink(house.secret, link.purpose, link.id) : '';
  return `${house.site.baseUrl}${link.path}${token}`;
}

/** The mail's text and HTML with its address in place. */
export function withLink(
  house: Pick<House, 'site' | 'secret'>,
  mail: Pick<Mail, 'text' | 'html' | 'link'>,
): { text: string; html: string } {
  if (!mail.link) return { text: mail.text, html: mail.html };
  const address = linkAddress(house, mail.link);
  return { text: mail.text.replaceAll(linkMark, address), html: mail.html.replaceAll(linkMark, address) };
}
