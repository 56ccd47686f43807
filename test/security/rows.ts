// TABLE: every attack and fault of the catalogue on federation and ballots that is critical or high -> the test that stands against it, by its
// file and the words of its title. rows.test.ts fails when such a test is not there any more.

export interface Row {
  /** C: critical. H: high. */
  class: 'C' | 'H';
  /** What is tried, in few words. */
  what: string;
  /** File under test/ and its title up to the first changing part; or the slice with which the thing itself will come. */
  by: readonly (readonly [file: string, title: string])[] | { later: string };
}

const inbox = 'federation/inbox.test.ts';
const anonymity = 'server/surveys/anonymity.test.ts';
const anonymous = 'security/anonymous.test.ts';
const polls = 'federation/polls.test.ts';
const errands = 'federation/errands.test.ts';
const bothDoors = 'server/surveys/bothDoors.test.ts';
const hostile = 'federation/hostile.test.ts';
const partners = 'federation/partners.test.ts';
const cavage = 'federation/signatures/cavage.test.ts';
const rfc9421 = 'federation/signatures/rfc9421.test.ts';
const fetch = 'federation/fetch.test.ts';
const egress = 'federation/egress.test.ts';
const audience = 'federation/audience.test.ts';
const authorship = 'federation/authorship.test.ts';
const policy = 'federation/policy.test.ts';
const delivery = 'federation/delivery.test.ts';
const faults = 'federation/faults.test.ts';
const network = 'federation/network.test.ts';
const tls = 'federation/tls.test.ts';
const hostRest = 'federation/hostRest.test.ts';
const goneInboxes = 'federation/goneInboxes.test.ts';
const durability = 'server/store/embedded/durability.test.ts';
const surveys = 'server/surveys/actions.test.ts';
const results = 'server/surveys/results.test.ts';
const acrossInstances = 'federation/surveys.test.ts';

export const rows: Record<string, Row> = {
  'AP-01': { class: 'C', what: 'no signature', by: [[inbox, 'refuses what is not signed, whatever NODE_ENV says']] },
  'AP-02': {
    class: 'C',
    what: 'a signature over too little',
    by: [
      [inbox, 'refuses every subset of signed headers that leaves one of the four out'],
      [rfc9421, 'requires method, target and content digest to be covered'],
    ],
  },
  'AP-03': {
    class: 'C',
    what: 'another body than the one signed',
    by: [
      [inbox, 'refuses a body that is not the one signed, and digests that do not fit'],
      [cavage, 'refuses a body that was changed by one byte'],
    ],
  },
  'AP-04': {
    class: 'H',
    what: 'signed for another address',
    by: [
      [inbox, 'refuses a signature made for another address'],
      [cavage, 'refuses a request sent to another host, path or method'],
      [cavage, 'refuses another query'],
    ],
  },
  'AP-05': { class: 'H', what: 'dates out of time', by: [[inbox, 'accepts clocks within an hour either way']] },
  'AP-06': {
    class: 'H',
    what: 'ambiguous signature headers',
    by: [
      [inbox, 'refuses ambiguous and broken signature headers without a crash'],
      [cavage, 'refuses ambiguous, broken and oversized headers'],
    ],
  },
  'AP-07': {
    class: 'H',
    what: 'weak algorithms and keys',
    by: [
      [inbox, 'refuses ambiguous and broken signature headers without a crash'],
      [cavage, 'refuses anything else as a key'],
      [cavage, 'refuses a key of 16,384 bits at once'],
    ],
  },
  'AP-08': { class: 'C', what: 'a key that claims to be a victim’s', by: [[inbox, 'refuses the key of another']] },
  'AP-09': {
    class: 'C',
    what: 'a key that its owner does not list',
    by: [
      [inbox, 'refuses the key of another'],
      [authorship, 'believes a key only when the actor that it is said to be of lists it'],
    ],
  },
  'AP-10': {
    class: 'C',
    what: 'key ids that are no addresses',
    by: [[inbox, 'refuses key ids that are no addresses, or are ours']],
  },
  'AP-11': { class: 'C', what: 'signer and actor differ', by: [[inbox, 'refuses an actor other than the signer']] },
  'AP-12': { class: 'C', what: 'NODE_ENV', by: [[inbox, 'refuses what is not signed, whatever NODE_ENV says']] },
  'AP-13': {
    class: 'H',
    what: 'changed keys, and keys that do not exist',
    by: [
      [inbox, 'takes a changed key after one fetch'],
      [inbox, 'lets nobody shut an actor out by naming keys that it does not have'],
      [errands, 'cannot stop us reading what is no actor by calling it a key'],
    ],
  },
  'AP-14': {
    class: 'H',
    what: 'an Update that brings a key',
    by: [[inbox, 'believes an actor’s Update only from its own server']],
  },

  'AP-20': {
    class: 'C',
    what: 'an inline object of another origin',
    by: [
      [inbox, 'never keeps an inline object or actor'],
      [partners, 'takes what is boosted from its own server, never from the copy inside'],
    ],
  },
  'AP-21': {
    class: 'C',
    what: 'an inline object with an id of ours',
    by: [[inbox, 'refuses objects with ids of ours']],
  },
  'AP-22': { class: 'C', what: 'an inline actor', by: [[inbox, 'never keeps an inline object or actor']] },
  'AP-23': { class: 'C', what: 'an activity id of another origin', by: [[inbox, 'refuses ids from elsewhere']] },
  'AP-24': {
    class: 'C',
    what: 'authors that are somebody else',
    by: [
      [inbox, 'refuses authors that are somebody else'],
      [hostile, 'is shown under its own name when it writes in that of a neighbour'],
    ],
  },
  'AP-25': {
    class: 'C',
    what: 'a document under another address',
    by: [[hostile, 'is believed only at the address that a document bears as its id']],
  },
  'AP-26': {
    class: 'C',
    what: 'an upload served as a document',
    by: [[fetch, 'believes only ActivityStreams content types']],
  },
  'AP-27': {
    class: 'H',
    what: 'addresses that parsers read differently',
    by: [
      [inbox, 'refuses ids that parsers read differently'],
      ['federation/fuzzReaders.test.ts', 'compares addresses as WHATWG does'],
    ],
  },
  'AP-28': {
    class: 'H',
    what: 'addresses that look like ours',
    by: [['federation/discovery.test.ts', 'compares ids by their origin, never by how they begin']],
  },
  'AP-29': {
    class: 'H',
    what: 'dots of our address as wildcards',
    by: [['federation/discovery.test.ts', 'compares ids by their origin, never by how they begin']],
  },
  'AP-30': {
    class: 'H',
    what: 'WebFinger that names another’s actor',
    by: [
      [hostile, 'lends nobody its name'],
      [hostile, 'takes no name from a neighbour by bearing it'],
    ],
  },

  'AP-40': {
    class: 'C',
    what: 'an Update of what is another’s',
    by: [
      [inbox, 'refuses objects with ids of ours'],
      [partners, 'changes by its author and to a later version only'],
    ],
  },
  'AP-41': {
    class: 'C',
    what: 'a Delete of what is another’s',
    by: [
      [partners, 'stays deleted, by its author alone'],
      [hostile, 'cannot delete what another wrote for few by passing on that it is gone'],
      [hostile, 'cannot keep a neighbour’s post out by deleting it before it comes'],
    ],
  },
  'AP-42': {
    class: 'H',
    what: 'a Create after its Delete',
    by: [
      [partners, 'stays deleted, by its author alone'],
      ['federation/mentions.test.ts', 'stay deleted when they come after'],
    ],
  },
  'AP-43': {
    class: 'H',
    what: 'an Undo of what is another’s',
    by: [
      [inbox, 'lets nobody undo the follow of another'],
      ['federation/reactions.test.ts', 'are taken back by their actor, by id or by what was liked; not by another'],
      [polls, 'lose a vote that its author deletes'],
    ],
  },
  'AP-44': {
    class: 'C',
    what: 'forged answers',
    by: [
      [inbox, 'keeps follows as they are when Accept'],
      [partners, 'believes no answer but that of the one asked'],
    ],
  },
  'AP-45': {
    class: 'C',
    what: 'collections named inside an activity',
    by: [[hostile, 'fills none of our collections by what stands inside an activity']],
  },
  'AP-46': {
    class: 'H',
    what: 'Add and Remove to our collections',
    by: [[inbox, 'keeps follows as they are when Accept']],
  },
  'AP-47': {
    class: 'H',
    what: 'passing on what is private or not there',
    by: [
      [audience, 'is not passed on, liked or counted by anybody'],
      [partners, 'is a boost for followers too, but never of what was for few'],
      [partners, 'takes what is boosted from its own server, never from the copy inside'],
    ],
  },
  'AP-48': {
    class: 'H',
    what: 'forwarded without a proof',
    by: [[authorship, 'grants nothing without a proof, or with one that does not hold']],
  },

  'AP-60': {
    class: 'C',
    what: 'private IPv4 in every spelling',
    by: [
      [fetch, 'refuses private literals in every spelling'],
      [fetch, 'calls only ordinary public addresses public'],
    ],
  },
  'AP-61': {
    class: 'C',
    what: 'private IPv6 in every form',
    by: [[fetch, 'calls only ordinary public addresses public']],
  },
  'AP-62': {
    class: 'C',
    what: 'names that resolve to private addresses',
    by: [[fetch, 'refuses names of which any address is private']],
  },
  'AP-63': {
    class: 'C',
    what: 'redirects',
    by: [
      [fetch, 'checks every redirect like a first address'],
      [fetch, 'brings no signature to another origin'],
    ],
  },
  'AP-64': {
    class: 'C',
    what: 'a way out beside the guarded one',
    by: [
      [egress, 'is one module'],
      [egress, 'is guarded wherever an address comes from'],
    ],
  },
  'AP-65': {
    class: 'H',
    what: 'other schemes and ports',
    by: [[fetch, 'refuses private literals in every spelling, other schemes, ports and credentials']],
  },
  'AP-66': {
    class: 'H',
    what: 'answers that tell open ports from closed ones',
    by: [
      [inbox, 'answers in the same words and the same time whether a private port is open, closed or silent'],
      [inbox, 'refuses private addresses as key ids before any connection'],
    ],
  },

  'AP-70': { class: 'H', what: 'large and packed bodies', by: [[inbox, 'refuses bodies over the limit, packed ones']] },
  'AP-71': {
    class: 'H',
    what: 'large and packed answers',
    by: [
      [fetch, 'stops at the size, counted after unpacking'],
      [fetch, 'ends bombs, endless answers and false lengths soon'],
    ],
  },
  'AP-72': {
    class: 'H',
    what: 'slow answers',
    by: [
      [fetch, 'gives up on a slow answer'],
      [fetch, 'gives up in time whatever is slow'],
      [fetch, 'keeps to two exchanges a host'],
      [errands, 'cannot take all places for reading'],
    ],
  },
  'AP-73': {
    class: 'H',
    what: 'slow requests',
    by: [
      [network, 'lets those who send their headers slowly go'],
      [network, 'lets those go who stall in the middle of a body'],
      [network, 'signs people in while two thousand sockets say nothing'],
    ],
  },
  'AP-74': { class: 'C', what: 'a context bomb', by: [[inbox, 'refuses a context bomb quickly']] },
  'AP-75': { class: 'H', what: 'deep nesting', by: [[inbox, 'refuses deep nesting and too many values']] },
  'AP-76': {
    class: 'H',
    what: 'many requests for one activity',
    by: [
      [inbox, 'refuses deep nesting and too many values'],
      [errands, 'lead to ten requests for one activity at most'],
      [errands, 'cannot use up what we ask of a server in a minute'],
    ],
  },
  'AP-77': {
    class: 'H',
    what: 'endless collections',
    by: [
      ['federation/catalogues.test.ts', 'is read to the end of our patience'],
      [hostile, 'has no list of its own read further than its number'],
    ],
  },

  'AP-90': { class: 'C', what: 'contexts from the network', by: [[inbox, 'never asks for a context, known or not']] },
  'AP-91': {
    class: 'H',
    what: 'words given another meaning',
    by: [[inbox, 'accepts the terms that other software declares']],
  },
  'AP-92': {
    class: 'H',
    what: '@graph, @included, @reverse',
    by: [[inbox, 'refuses keys of ours, of the store and of prototypes']],
  },
  'AP-93': {
    class: 'H',
    what: 'Linked Data Signatures',
    by: [[authorship, 'grants nothing for a Linked Data Signature']],
  },
  'AP-94': {
    class: 'C',
    what: 'keys of our own fields',
    by: [[inbox, 'refuses keys of ours, of the store and of prototypes']],
  },
  'AP-95': {
    class: 'H',
    what: 'keys of prototypes',
    by: [[inbox, 'refuses keys of ours, of the store and of prototypes']],
  },

  'AP-100': {
    class: 'H',
    what: 'the same activity many times',
    by: [[inbox, 'takes effect once, whatever is repeated']],
  },
  'AP-101': {
    class: 'H',
    what: 'a crash between effect and record',
    by: [
      [inbox, 'does the deed again after a crash between its effect and its record'],
      ['federation/crash.test.ts', 'loses and doubles nothing of'],
    ],
  },
  'AP-102': {
    class: 'H',
    what: 'old activities played again',
    by: [
      [inbox, 'does not take up a follow again that was undone'],
      [inbox, 'does not let an old Undo that is played again end a newer follow'],
      [hostile, 'cannot play again what was proven months ago'],
      [partners, 'changes by its author and to a later version only'],
    ],
  },

  'AP-110': {
    class: 'C',
    what: 'a secret ballot that can be linked',
    by: [
      [anonymity, 'no order in which answers came'],
      [anonymous, 'are kept with the ballots and nowhere else'],
      [anonymous, 'are published without a name beside them'],
    ],
  },
  'AP-111': {
    class: 'C',
    what: 'two votes of one collective',
    by: [
      [surveys, 'keeps one answer when two delegates send fifty at once'],
      [bothDoors, 'of two delegates in a race counts once'],
      [acrossInstances, 'answers with one receipt, however often the same answer comes'],
      [acrossInstances, 'keeps what was sent later when an older answer or withdrawal arrives after it'],
    ],
  },
  'AP-112': {
    class: 'C',
    what: 'votes out of time or place',
    by: [
      [polls, 'take no second vote'],
      [bothDoors, 'after the end is refused, and what was typed comes back'],
      [bothDoors, 'in the name of another collective is refused'],
    ],
  },
  'AP-113': { class: 'H', what: 'forged results', by: [[polls, 'let nobody else raise their counts']] },
  'AP-114': {
    class: 'H',
    what: 'votes taken back after the close',
    by: [
      [polls, 'keep the votes that they ended with'],
      ['server/surveys/polls.test.ts', 'close with their end as the moment and their counts for good'],
    ],
  },
  'AP-115': {
    class: 'H',
    what: 'results before the close',
    by: [
      [results, 'live for organisers where names are shown, for nobody else before they are published'],
      ['server/surveys/resultPages.test.ts', 'keep an anonymous survey so: nothing before its end'],
      [anonymous, 'stand on no page, in no feed, file, object or header while the surveys are open'],
    ],
  },
  'AP-116': {
    class: 'H',
    what: 'copied ballots',
    by: [
      ['server/surveys/linkPages.test.ts', 'is no link for others, for other surveys, or changed by a letter'],
      [acrossInstances, 'refuses, and keeps nothing of, answers by others, for others'],
    ],
  },

  'WB-40': {
    class: 'C',
    what: 'fifty votes of two delegates at once',
    by: [
      [surveys, 'keeps one answer when two delegates send fifty at once'],
      [surveys, 'takes one of fifty sent at once, and no second one'],
      ['server/surveys/polls.test.ts', 'fifty at once from one actor as one'],
    ],
  },
  'WB-41': {
    class: 'C',
    what: 'a store that tells who gave which anonymous answer',
    by: [
      [anonymity, 'nothing by which pairing both lists in any of their orders does better than chance'],
      [anonymity, 'documents without a common value, a time'],
      [anonymity, 'numbers that count, and lead whoever has the number and the whole store to no ballot'],
      [anonymity, 'a backup in which it is no different'],
      [anonymous, 'have no time'],
    ],
  },
  'WB-43': {
    class: 'H',
    what: 'answers around the close, and opening again in silence',
    by: [
      [surveys, 'closes at its end as the moment, once, and by hand before'],
      [surveys, 'takes what was sent in time for a day, where the survey says so'],
      [surveys, 'gives more time, only later, and opens again only what was named'],
    ],
  },
  'WB-44': {
    class: 'H',
    what: 'who may vote changes during the vote',
    by: [
      [surveys, 'asks those whom it asked when it opened'],
      ['server/surveys/eligibility.test.ts', 'is fixed by the opening, at every door'],
    ],
  },

  'AP-120': {
    class: 'C',
    what: 'markup in every text',
    by: [
      ['security/remoteMarkup.test.ts', 'stays text, or the little that texts may hold'],
      ['security/markup.test.ts', 'stays text on every page and in every feed'],
    ],
  },
  'AP-121': {
    class: 'H',
    what: 'markup that changes when it is cleaned again',
    by: [['federation/wire/remotePost.test.ts', 'cleans so that cleaning again changes nothing']],
  },
  'AP-122': {
    class: 'H',
    what: 'links that say another address',
    by: [['federation/wire/remotePost.test.ts', 'says where a link leads when its text says otherwise']],
  },
  'AP-123': {
    class: 'H',
    what: 'tricks of direction and heaps of marks',
    by: [['security/remoteMarkup.test.ts', 'stays text, or the little that texts may hold']],
  },

  'AP-130': {
    class: 'H',
    what: 'a blocked domain in another spelling',
    by: [
      [policy, 'AP-130: knows a refused domain in every spelling'],
      [hostile, 'gains nothing through others by a proof, however it names itself'],
      [hostile, 'reads nothing that was meant for it'],
    ],
  },
  'AP-131': {
    class: 'H',
    what: 'content of a blocked domain by way of others',
    by: [[policy, 'AP-131: takes nothing of a refused server from a third one']],
  },
  'AP-132': {
    class: 'H',
    what: 'sending to a blocked domain',
    by: [[policy, 'AP-132: sends nothing to a refused server']],
  },
  'AP-133': {
    class: 'H',
    what: 'an account that was put out',
    by: [
      ['security/door.test.ts', 'ends a right with the next request'],
      ['security/door.test.ts', 'sends nothing more of what an account had said before it was closed'],
    ],
  },
  'AP-134': {
    class: 'H',
    what: 'moves',
    by: [
      [partners, 'follows a move that both ends declare, and no other'],
      [hostile, 'moves its followers once a week, and to nobody whom the rules refuse'],
      ['federation/pulledMoves.test.ts', 'is refused when the old account does not name the new one'],
    ],
  },

  'AP-140': {
    class: 'C',
    what: 'operators in parameters',
    by: [
      ['security/forms.test.ts', 'are refused when they are operators, prototypes or the store’s own names'],
      ['security/forms.test.ts', 'are refused when a single value is given twice or as a list'],
    ],
  },
  'AP-141': {
    class: 'C',
    what: 'a remote object as an update',
    by: [[inbox, 'refuses keys of ours, of the store and of prototypes']],
  },
  'AP-142': {
    class: 'H',
    what: 'texts in SQL',
    by: [['server/store/embedded/sql.test.ts', 'holds no text that comes from a caller']],
  },

  'AP-150': {
    class: 'C',
    what: 'private things in public lists',
    by: [
      [audience, 'stands in no collection, counts in none'],
      [audience, 'is in no list, no count, no feed and on no page'],
    ],
  },
  'AP-151': {
    class: 'C',
    what: 'secrets in answers',
    by: [
      [inbox, 'never answered 5xx of its own accord, and shows no private key anywhere'],
      ['security/secrets.test.ts', 'stand in no answer'],
      [audience, 'stands in no collection, counts in none'],
    ],
  },
  'AP-152': {
    class: 'H',
    what: 'private things asked for by strangers',
    by: [
      [audience, 'is shown to whom it is addressed, when they sign'],
      [audience, 'is not there for anybody else, signed or not'],
      [hostile, 'cannot learn by our question for its key whether something hidden is there'],
    ],
  },

  'RL-01': {
    class: 'C',
    what: 'what was acknowledged is lost',
    by: [
      [durability, 'loses nothing acknowledged and keeps its indexes true when it is killed'],
      ['story/killed.test.ts', 'keeps everything that it acknowledged to four writers'],
    ],
  },
  'RL-02': {
    class: 'C',
    what: 'a crash at any step',
    by: [
      ['federation/crash.test.ts', 'loses and doubles nothing of'],
      [faults, 'moves everybody who follows, whichever operation of the store fails'],
    ],
  },
  'RL-03': { class: 'C', what: 'a crash while sending', by: [[delivery, 'sends again after a crash in the middle']] },
  'RL-04': {
    class: 'H',
    what: 'power loss',
    by: [
      [durability, 'syncs at every commit'],
      [durability, 'has the disk write before it acknowledges'],
    ],
  },
  'RL-05': {
    class: 'H',
    what: 'a peer down for days',
    by: [
      [delivery, 'waits longer each time'],
      [hostRest, 'is asked every half hour at most once it is surely away'],
      [hostRest, 'gets what waited at a few a second when it is back'],
      [faults, 'brings everything in order to a server that was away for most of a week'],
    ],
  },
  'RL-06': {
    class: 'H',
    what: 'every status that a peer answers',
    by: [
      [delivery, 'does the right thing after'],
      [delivery, 'tries five times when refused with 401 or 403'],
      [delivery, 'never follows a redirect'],
      [hostRest, 'waits as long as it asked for'],
      [hostRest, 'without cutting short the wait of one that was refused with 403'],
      [goneInboxes, 'forgets nobody for a 404 until it has said so on seven days'],
      [goneInboxes, 'ends the follows of whoever is gone with it'],
    ],
  },
  'RL-07': {
    class: 'H',
    what: 'peers that hang',
    by: [[faults, 'serves a good server within a second behind fifty that hang']],
  },
  'RL-08': {
    class: 'H',
    what: 'a failure of the store',
    by: [[faults, 'takes in, answers and delivers once, whichever single operation of the store fails']],
  },
  'RL-09': {
    class: 'H',
    what: 'everybody back at once',
    by: [[network, 'gets all of ten thousand that waited without stopping the house']],
  },
  'RL-20': {
    class: 'H',
    what: 'a delivery that can never be sent',
    by: [
      [delivery, 'goes on with the others when one row cannot be sent at all'],
      [delivery, 'gives up on a row that breaks each time'],
    ],
  },
  'RL-23': {
    class: 'H',
    what: 'connections that break',
    by: [
      [network, 'worth another try (RL-23)'],
      [network, 'keeps a delivery for later, whichever way the connection broke'],
      [tls, 'and will try again (RL-23)'],
      [tls, 'goes on by IPv4 when IPv6 leads nowhere'],
    ],
  },
};
