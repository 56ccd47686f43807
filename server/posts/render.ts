// Markdown to the HTML that may be shown here and sent to others: the elements that every Fediverse server keeps.
// Two libraries do the work, loaded when the first post is shown. No store, no network.
import type { Language } from '../context.js';
import { textIn } from '../shapes.js';
import type { Post } from './schema.js';

/** federation.md 1.4: what Mastodon's sanitiser keeps, so nothing that we send is lost on the way. */
const allowedTags = [
  'p',
  'span',
  'br',
  'a',
  'del',
  'pre',
  'code',
  'em',
  'strong',
  'b',
  'i',
  'u',
  'ul',
  'ol',
  'li',
  'blockquote',
];

export interface RenderOptions {
  /** The page of somebody mentioned ("handle" or "user@host"), or null to leave the mention as text. */
  mentionHref?: (mention: string) => string | null;
}

type Libraries = Awaited<ReturnType<typeof load>>;
let libraries: Promise<Libraries> | undefined;

async function load() {
  const [markdown, sanitizer] = await Promise.all([import('markdown-it'), import('sanitize-html')]);
  const engine = markdown.default('default', { html: false, linkify: true, breaks: true, typographer: false });
  engine.disable(['image', 'table', 'hr']);
  // Only written-out addresses become links: "user@host" is a mention, not a mail address.
  engine.linkify.set({ fuzzyLink: false, fuzzyEmail: false, fuzzyIP: false });
  return { engine, sanitize: sanitizer.default };
}

function ready(): Promise<Libraries> {
  libraries ??= load();
  return libraries;
}

/** "@name" or "@name@host", not inside a word, an address or another mention. */
const mentionPattern =
  /(?<![\w@/.-])@([a-z0-9](?:[a-z0-9_.-]{0,62}[a-z0-9_])?)(?:@((?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?::\d{1,5})?))?(?![\w@])/gi;

/** Markdown gives no class: a link that has one is a mention of ours. */
const absolute = /^(https?|mailto|xmpp|matrix):/i;

/** Directions and joiners by which a text can show other than what it says. */
const tricks = /[\u202a-\u202e\u2066-\u2069]/g;

/** One text of Markdown as HTML. Idempotent under sanitising; every link carries rel="nofollow noopener noreferrer". */
export async function renderMarkdown(source: string, options: RenderOptions = {}): Promise<string> {
  const { engine, sanitize } = await ready();
  const tokens = engine.parse(source.replace(tricks, ''), {});
  for (const block of tokens) {
    if (block.children) block.children = withMentions(block.children, options);
  }
  const html = engine.renderer.render(tokens, engine.options, {});
  return sanitize(html, {
    allowedTags,
    allowedAttributes: { a: ['href', 'rel', 'class'] },
    allowedClasses: { a: ['mention', 'u-url'] },
    allowedSchemes: ['http', 'https', 'mailto', 'xmpp', 'matrix'],
    allowProtocolRelative: false,
    transformTags: {
      ...Object.fromEntries(['h1', 'h2', 'h3', 'h4', 'h5', 'h6'].map((tag) => [tag, 'p'])),
      s: 'del',
      a: (tagName, { href = '', class: kind }) => ({
        tagName,
        attribs: {
          // An address without its host would lead elsewhere on every server that shows the post.
          ...(kind !== undefined || absolute.test(href) ? { href } : {}),
          ...(kind === undefined ? {} : { class: kind }),
          rel: 'nofollow noopener noreferrer',
        },
      }),
    },
  }).trim();
}

/** The post in one language, or in the other when it was not written in that one. */
export async function renderPostHtml(
  text: Post['text'],
  language: Language,
  options: RenderOptions = {},
): Promise<string> {
  return renderMarkdown(textIn(text, language), options);
}

/** Whom the text names, lower case, in order, each once; nothing from code or link texts. */
export async function findMentions(text: Post['text']): Promise<string[]> {
  const { engine } = await ready();
  const found: string[] = [];
  for (const source of [text.fr, text.en]) {
    for (const block of engine.parse(source.replace(tricks, ''), {})) {
      eachText(block.children ?? [], (content) => {
        for (const match of content.matchAll(mentionPattern)) found.push(nameOf(match));
      });
    }
  }
  return [...new Set(found)].slice(0, 50);
}

function nameOf(match: RegExpExecArray): string {
  return (match[2] === undefined ? (match[1] ?? '') : `${match[1]}@${match[2]}`).toLowerCase();
}

type Token = ReturnType<Libraries['engine']['parse']>[number];

/** Calls back for each run of text outside links and code. */
function eachText(tokens: Token[], visit: (content: string, token: Token) => void): void {
  let depth = 0;
  for (const token of tokens) {
    if (token.type === 'link_open') depth += 1;
    else if (token.type === 'link_close') depth -= 1;
    else if (token.type === 'text' && depth === 0) visit(token.content, token);
  }
}

/** Splits runs of text at mentions that have a page; the others stay text. */
function withMentions(tokens: Token[], { mentionHref }: RenderOptions): Token[] {
  if (!mentionHref) return tokens;
  const replaced = new Map<Token, Token[]>();
  eachText(tokens, (content, token) => {
    const parts: Token[] = [];
    let done = 0;
    const say = (text: string) => {
      if (text) parts.push(Object.assign(Object.create(token), { content: text }));
    };
    for (const match of content.matchAll(mentionPattern)) {
      const href = mentionHref(nameOf(match));
      if (href === null) continue;
      say(content.slice(done, match.index));
      const open = Object.assign(Object.create(token), { type: 'link_open', tag: 'a', nesting: 1, content: '' });
      open.attrs = [
        ['href', href],
        ['class', 'u-url mention'],
      ];
      parts.push(open);
      say(match[0]);
      parts.push(Object.assign(Object.create(token), { type: 'link_close', tag: 'a', nesting: -1, content: '' }));
      done = match.index + match[0].length;
    }
    if (parts.length === 0) return;
    say(content.slice(done));
    replaced.set(token, parts);
  });
  return tokens.flatMap((token) => replaced.get(token) ?? [token]);
}
