// Questions of a survey offered to the Fediverse as polls, and the votes that came. Counted apart, never among answers.
import type { Eventful } from '../events.js';
import type { Doc } from '../store/store.js';
import type { Texts } from './schema.js';

export interface PollOption {
  /** Of the choice, or the step of a scale. */
  id: string;
  /** What a vote names, letter by letter. */
  name: string;
}

/** A question as it was sent: nothing of it changes any more but the counts. _id: the last part of its object's address. */
export interface FediPoll extends Doc, Eventful {
  surveyId: string;
  questionId: string;
  /** Survey and question, unique: of two who offer it at once one does. Of a withdrawn one its own id. */
  slot: string;
  collectiveId: string;
  title: Texts;
  label: Texts;
  languages: string[];
  options: PollOption[];
  multiple: boolean;
  endsAt: Date;
  state: 'open' | 'closed' | 'withdrawn';
  closedAt: Date | null;
  /** As last told; of a closed one: for good. In the order of the options. */
  counts: number[];
  voters: number;
  /** Votes have come since the counts were told. */
  isStale: boolean;
  toldAt: Date;
  offeredAt: Date;
}

/** _id: voteKey(). Deleted some time after the end: the counts stay. */
export interface FediVote extends Doc {
  pollId: string;
  /** Who voted, on another server. */
  actor: string;
  host: string;
  /** Where the voter's server is told of new counts. */
  inbox: string;
  /** Id of the option. */
  option: string;
  /** Address of the vote itself, by which its author may take it back. */
  iri: string;
  at: Date;
}

/** Mastodon and its relatives take so many. */
export const maxOptions = 20;
/** Beyond so many votes a poll counts no more: somebody is making voters. */
export const maxVotes = 50_000;
