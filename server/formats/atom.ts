// Atom feeds (RFC 4287). Wraps the feed package, which treats titles as HTML and knows no language.
import { Feed } from 'feed';

export interface AtomEntry {
  /** Permanent, a URI: the ActivityPub id where there is one. */
  id: string;
  /** Plain text. */
  title: string;
  url: string;
  updatedAt: Date;
  publishedAt?: Date;
  /** Plain text. */
  summary?: string;
  /** HTML that has been made safe already. */
  html?: string;
  author?: { name: string; url?: string };
  categories?: readonly { term: string; label?: string }[];
}

export interface AtomFeed {
  id: string;
  title: string;
  subtitle?: string;
  /** BCP 47. */
  language: string;
  /** Address of the feed itself; absent: it is a secret. */
  selfUrl?: string;
  /** Address of the page that it follows. */
  pageUrl: string;
  /** Of the newest entry; without entries, when the page began. */
  updatedAt: Date;
  author: { name: string; url?: string };
  icon?: string;
  entries: readonly AtomEntry[];
}

/** The feed as text, to be sent as application/atom+xml in UTF-8. Texts are escaped here; `html` is taken as it is. */
export function toAtom(input: AtomFeed): string {
  const feed = new Feed({
    id: clean(input.id),
    title: plainText(input.title),
    ...(input.subtitle === undefined ? {} : { description: plainText(input.subtitle) }),
    ...(input.icon === undefined ? {} : { favicon: input.icon }),
    link: input.pageUrl,
    ...(input.selfUrl === undefined ? {} : { feed: input.selfUrl }),
    updated: input.updatedAt,
    author: person(input.author),
    generator: 'Chatière',
  });
  for (const entry of input.entries) feed.addItem(toItem(entry));
  return feed.atom1().replace('<feed ', `<feed xml:lang="${escapeHtml(clean(input.language))}" `);
}

function toItem(entry: AtomEntry): Parameters<Feed['addItem']>[0] {
  return {
    id: clean(entry.id),
    title: escapeHtml(clean(entry.title)),
    link: entry.url,
    date: entry.updatedAt,
    ...(entry.publishedAt === undefined ? {} : { published: entry.publishedAt }),
    ...(entry.summary === undefined ? {} : { description: escapeHtml(clean(entry.summary)) }),
    ...(entry.html === undefined ? {} : { content: clean(entry.html) }),
    ...(entry.author === undefined ? {} : { author: [person(entry.author)] }),
    ...(entry.categories === undefined ? {} : { category: entry.categories.map(toCategory) }),
  };
}

function toCategory({ term, label }: { term: string; label?: string }): { term: string; name: string } {
  return { term: attributeText(term), name: attributeText(label ?? term) };
}

/** The package writes angle brackets into attributes as they are, which is not XML. */
function attributeText(text: string): string {
  return clean(text).replace(/[<>]/g, '');
}

/** The package takes `&amp;` in a text for an ampersand that is already escaped: so every one of ours has to be. */
function plainText(text: string): string {
  return clean(text).replaceAll('&', '&amp;');
}

function person({ name, url }: { name: string; url?: string }): { name: string; link?: string } {
  return url === undefined ? { name: plainText(name) } : { name: plainText(name), link: url };
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (char) => ENTITIES[char] ?? char);
}

/** XML 1.0 has no way to write most control characters, nor half of a surrogate pair. */
function clean(text: string): string {
  return text.replace(/\p{Cs}|[\uFFFE\uFFFF]|(?![\t\n\r])\p{Cc}/gu, '');
}
