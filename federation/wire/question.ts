// A poll of ours as Mastodon and its relatives know it, and the vote that comes back: a Note with a name and nothing else.
import { isObject } from '../json.js';
import { type Json, paragraphs, publicAudienceOf } from './namespace.js';

export interface QuestionInput {
  iri: string;
  actor: string;
  followers: string;
  /** The page for people. */
  url: string;
  /** Plain text by language; the first is the main one. */
  texts: [language: string, text: string][];
  options: { name: string; count: number }[];
  multiple: boolean;
  voters: number;
  published: Date;
  endsAt: Date;
  closedAt: Date | null;
}

/** Without `updated`: new counts are no new words, and nobody shows them as an edit. */
export function toQuestion(input: QuestionInput): Json {
  const html = input.texts.map(([language, text]) => [language, paragraphs(text)] as const);
  const options = input.options.map(({ name, count }) => ({
    type: 'Note',
    name,
    replies: { type: 'Collection', totalItems: count },
  }));
  return {
    id: input.iri,
    type: 'Question',
    attributedTo: input.actor,
    ...publicAudienceOf(input.followers),
    url: input.url,
    published: input.published.toISOString(),
    content: html.map(([, text]) => text).join('<p>—</p>'),
    contentMap: Object.fromEntries(html),
    sensitive: false,
    tag: [],
    attachment: [],
    endTime: input.endsAt.toISOString(),
    ...(input.closedAt ? { closed: input.closedAt.toISOString() } : {}),
    votersCount: input.voters,
    [input.multiple ? 'anyOf' : 'oneOf']: options,
    likes: `${input.iri}/likes`,
    shares: `${input.iri}/shares`,
  };
}

export interface PollVote {
  iri: string;
  name: string;
  inReplyTo: string;
}

/**
 * Null: no vote. A vote has a name, answers something, and says nothing; what has words is an answer in a conversation.
 * Mastodon, Misskey, Sharkey and GoToSocial send a Note; older Pleroma called it Answer.
 */
export function fromVote(json: unknown): PollVote | null {
  if (!isObject(json) || (json.type !== 'Note' && json.type !== 'Answer')) return null;
  const { id, name, inReplyTo, content } = json;
  if (typeof id !== 'string' || typeof name !== 'string' || name.trim() === '' || name.length > 2000) return null;
  if (content !== undefined && content !== null && content !== '') return null;
  const answered = isObject(inReplyTo) ? inReplyTo.id : inReplyTo;
  return typeof answered === 'string' ? { iri: id, name, inReplyTo: answered } : null;
}
