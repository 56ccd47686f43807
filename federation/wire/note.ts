// A Note of ours, in both languages: what any server on the Fediverse can show.
import type { LocalText } from '../../server/shapes.js';
import { type Json, publicAudienceOf } from './namespace.js';

export interface NoteInput {
  iri: string;
  actor: string;
  followers: string;
  /** The page for people. */
  url: string;
  /** HTML; at least one language. */
  html: LocalText;
  language: 'fr' | 'en';
  published: Date;
  updated: Date | null;
  hashtags: { name: string; href: string }[];
  mentions: { name: string; iri: string }[];
  /** For those whom it mentions alone. */
  isPrivate?: boolean;
  /** Id of what it answers. */
  inReplyTo?: string;
  /** The group for which it is, with its name, and the thread in which it stands (FEP-1b12, FEP-7888). */
  group?: { iri: string; name: string; context: string };
}

export function toNote(input: NoteInput): Json {
  const order = input.language === 'fr' ? (['fr', 'en'] as const) : (['en', 'fr'] as const);
  const written = order.filter((language) => input.html[language]);
  // One language for those who read only `content`, both for those who choose: the second is not lost on Mastodon.
  const content = written.map((language) => input.html[language]).join('<p>—</p>');
  const { group } = input;
  // Named as a mention too: an answer from Mastodon is then addressed to the group as well.
  const mentions = [...(group ? [group] : []), ...input.mentions.filter(({ iri }) => iri !== group?.iri)];
  const iris = mentions.map((mention) => mention.iri);
  return {
    id: input.iri,
    type: 'Note',
    attributedTo: input.actor,
    ...(input.isPrivate ? { to: iris, cc: [] } : publicAudienceOf(input.followers, iris)),
    url: input.url,
    ...(group ? { audience: group.iri, context: group.context } : {}),
    ...(input.inReplyTo === undefined ? {} : { inReplyTo: input.inReplyTo }),
    published: input.published.toISOString(),
    ...(input.updated ? { updated: input.updated.toISOString() } : {}),
    content,
    contentMap: Object.fromEntries(written.map((language) => [language, input.html[language]])),
    sensitive: false,
    tag: [
      ...input.hashtags.map(({ name, href }) => ({ type: 'Hashtag', name, href })),
      ...mentions.map(({ name, iri }) => ({ type: 'Mention', name, href: iri })),
    ],
    attachment: [],
    likes: `${input.iri}/likes`,
    shares: `${input.iri}/shares`,
  };
}

export function toTombstone(iri: string, formerType: string, deleted: Date): Json {
  return { id: iri, type: 'Tombstone', formerType, deleted: deleted.toISOString() };
}
