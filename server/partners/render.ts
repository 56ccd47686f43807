// Texts from elsewhere as HTML that may be shown here: the elements that every Fediverse server keeps, links that say where they
// lead, nothing that loads anything. Kept as they came, cleaned each time they are shown. No store, no network.

const allowedTags = 'p span br a del pre code em strong b i u ul ol li blockquote'.split(' ');
/** Directions and joiners by which a text can show other than what it says; more than three marks on one letter. */
const tricks = /[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]|(?<=\p{M}{3})\p{M}+/gu;

type Sanitize = typeof import('sanitize-html');
let library: Promise<Sanitize> | undefined;

function load(): Promise<Sanitize> {
  library ??= import('sanitize-html').then((found) => found.default);
  return library;
}

/** Rounds until cleaning changes nothing more; what an honest server sends needs one. */
const maxRounds = 5;

/** Marks in one text. Cleaning costs some microseconds for each; a long honest article has some hundreds. */
const maxMarks = 5000;

/**
 * HTML from elsewhere, cleaned. Cleaning it again changes nothing: what never comes to rest, or would take long, is shown as
 * nothing.
 */
export async function cleanHtml(html: string): Promise<string> {
  if ((html.match(/[<&]/g)?.length ?? 0) > maxMarks) return '';
  for (let before = await cleanOnce(html), round = 0; round < maxRounds; round++) {
    const after = await cleanOnce(before);
    if (after === before) return after;
    before = after;
  }
  return '';
}

async function cleanOnce(html: string): Promise<string> {
  const sanitize = await load();
  return sanitize(html.replace(tricks, ''), {
    allowedTags,
    allowedAttributes: { a: ['href', 'rel'] },
    allowedSchemes: ['http', 'https'],
    allowProtocolRelative: false,
    nestingLimit: 30,
    transformTags: {
      ...Object.fromEntries(['h1', 'h2', 'h3', 'h4', 'h5', 'h6'].map((tag) => [tag, 'p'])),
      s: 'del',
      strike: 'del',
      a: (tagName, { href = '' }) => ({
        tagName,
        attribs: {
          // An address without its host would lead into our own pages.
          ...(/^https?:\/\//i.test(href) && URL.canParse(href) ? { href } : {}),
          rel: 'nofollow noopener noreferrer ugc',
        },
      }),
    },
  }).trim();
}

/** A text of a post for our pages: cleaned, and behind each link the host to which it leads, unless the text names it. */
export async function renderRemote(text: string, isHtml: boolean): Promise<string> {
  const html = await cleanHtml(isHtml ? text : paragraphs(text));
  return html.replace(/<a href="([^"]*)"([^>]*)>([\s\S]*?)<\/a>/g, (whole, href: string, _rest, inner: string) => {
    const host = hostOf(href);
    const shown = inner.replace(/<[^>]*>/g, '').trim();
    const isName = /^[#@][^\s/]*$/.test(shown) && !shown.includes('.');
    return host === null || isName || namesHost(shown, host) ? whole : `${whole} <bdi class="muted">(${host})</bdi>`;
  });
}

/** In letters that cannot be mistaken: punycode. */
function hostOf(href: string): string | null {
  const address = href.replaceAll('&amp;', '&');
  return URL.canParse(address) ? new URL(address).host : null;
}

/** Whether the text begins as an address of that host does: "bank.example.evil.org" is none of bank.example. */
function namesHost(shown: string, host: string): boolean {
  const [, first = ''] = /^(?:https?:\/\/)?(?:www\.)?([^/?#\s…]+)/i.exec(shown) ?? [];
  return first.toLowerCase() === host.replace(/^www\./, '');
}

function paragraphs(text: string): string {
  const escaped = text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
  return escaped
    .split(/\n{2,}/)
    .map((part) => part.trim())
    .filter(Boolean)
    .map((part) => `<p>${part.replaceAll('\n', '<br>')}</p>`)
    .join('');
}
