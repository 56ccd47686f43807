// TABLE: who may pass each door of the web. A route that is not here fails the suite; so does a row without its route.
// The bodies are the smallest that reach the rule behind the shape; {file} is the file of the import that waits.

/**
 * everyone: no account needed. signedIn: any account. members, representatives: of the collective in the address, and
 * administrators. ownPeople: members of the collective, and not who administers the instance. moderators, administrators: of the instance. readers: everyone where it is published, else members.
 * owners: whoever has one of their own; nobody in the suite has.
 */
export type Who =
  | 'owners'
  | 'everyone'
  | 'signedIn'
  | 'members'
  | 'ownPeople'
  | 'representatives'
  | 'moderators'
  | 'administrators'
  | 'readers';

export interface Rule {
  who: Who;
  body?: Record<string, string>;
  /** The form is multipart: a file under this name is sent with it. */
  file?: string;
}

const version = { version: '99' };
const mine = '/my/collectives/:id';
const me = '/me';
const service = `${mine}/services/:service`;
const infos = `${mine}/chatonsinfos`;

export const access: Record<string, Rule> = {
  'GET /': { who: 'everyone' },
  'GET /about': { who: 'everyone' },
  'GET /accessibility': { who: 'everyone' },
  'GET /language': { who: 'everyone' },
  'POST /language': { who: 'signedIn', body: { to: 'en', back: '/' } },
  'GET /robots.txt': { who: 'everyone' },

  'GET /sign-in': { who: 'everyone' },
  'POST /sign-in': { who: 'everyone', body: { login: 'nobody', password: 'wrong' } },
  'POST /sign-out': { who: 'everyone' },
  'GET /forgot': { who: 'everyone' },
  'POST /forgot': { who: 'everyone', body: { email: 'nobody@example.org' } },
  'GET /setup/:token': { who: 'everyone' },
  'POST /setup/:token': { who: 'everyone' },
  'GET /invitations/:token': { who: 'everyone' },
  'POST /invitations/:token': { who: 'everyone' },
  'POST /invitations/:token/join': { who: 'signedIn' },
  'GET /reset/:token': { who: 'everyone' },
  'POST /reset/:token': { who: 'everyone', body: { password: 'long enough for anybody' } },
  'GET /email-changes/:token': { who: 'everyone' },
  'POST /email-changes/:token': { who: 'everyone' },

  'GET /me': { who: 'signedIn' },
  'GET /me/profile': { who: 'signedIn' },
  'POST /me/profile': { who: 'signedIn', body: { displayName: 'Somebody', 'bio.fr': '', 'bio.en': '' } },
  'GET /me/security': { who: 'signedIn' },
  'POST /me/security/password': { who: 'signedIn', body: { current: 'wrong', password: 'long enough for anybody' } },
  'POST /me/security/email': { who: 'signedIn', body: { proof: 'wrong', email: 'new@example.org' } },
  'GET /me/sessions': { who: 'signedIn' },
  'POST /me/sessions/end-others': { who: 'signedIn' },
  'POST /me/sessions/:key/end': { who: 'signedIn' },
  'GET /me/preferences': { who: 'signedIn' },
  'POST /me/preferences': {
    who: 'signedIn',
    body: { language: '', timeZone: '', 'mailChoices.sourceFailed': 'off', 'mailChoices.followRequested': 'off' },
  },
  'GET /me/data': { who: 'signedIn' },
  'POST /me/data': { who: 'signedIn', body: { current: 'wrong' } },
  'GET /me/delete': { who: 'signedIn' },
  'POST /me/delete': { who: 'signedIn', body: { current: 'wrong' } },

  'GET /admin': { who: 'moderators' },
  'GET /admin/people': { who: 'administrators' },
  'POST /admin/people/invite': {
    who: 'administrators',
    body: { email: 'x@example.org', instanceRole: 'administrator' },
  },
  'POST /admin/invitations/:id/revoke': { who: 'administrators' },
  'GET /admin/people/:id': { who: 'administrators' },
  'POST /admin/people/:id/role': { who: 'administrators', body: { instanceRole: 'administrator' } },
  'POST /admin/people/:id/disable': { who: 'administrators' },
  'POST /admin/people/:id/enable': { who: 'administrators' },
  'POST /admin/people/:id/reset': { who: 'administrators' },
  'GET /admin/collectives': { who: 'administrators' },
  'GET /admin/mails': { who: 'administrators' },
  'GET /admin/mails/:id': { who: 'administrators' },
  'POST /admin/mails/:id/retry': { who: 'administrators' },
  'GET /admin/settings': { who: 'administrators' },
  'POST /admin/settings': { who: 'administrators', body: { name: 'Taken over' } },
  'GET /admin/jobs': { who: 'administrators' },
  'POST /admin/jobs/:name/run': { who: 'administrators' },
  'POST /admin/jobs/events/:id/retry': { who: 'administrators' },
  'POST /admin/jobs/events/:id/drop': { who: 'administrators' },
  'GET /admin/deliveries': { who: 'administrators' },
  'GET /admin/selftest': { who: 'administrators' },
  'POST /admin/selftest': { who: 'administrators' },
  'GET /admin/peers': { who: 'administrators' },
  'POST /admin/peers/held/release': { who: 'administrators' },
  'POST /admin/peers/held/drop': { who: 'administrators' },
  'GET /admin/peers/:host': { who: 'administrators' },
  'POST /admin/peers/:host/retry': { who: 'administrators' },
  'POST /admin/peers/:host/deliveries/:delivery/retry': { who: 'administrators' },
  'POST /admin/peers/:host/deliveries/:delivery/drop': { who: 'administrators' },
  'GET /admin/peers/rules': { who: 'administrators' },
  'POST /admin/peers/rules': { who: 'administrators', body: { domain: 'evil.example', kind: 'block' } },
  'POST /admin/peers/island': { who: 'administrators', body: { island: 'on' } },
  'POST /admin/peers/publish-rules': { who: 'administrators', body: { publishesRules: 'on' } },
  'GET /admin/peers/rules/export/:list.csv': { who: 'administrators' },
  'GET /admin/peers/rules/import': { who: 'administrators' },
  'POST /admin/peers/rules/import': { who: 'administrators', body: { csv: 'evil.example', kind: 'block' } },
  'POST /admin/peers/rules/import/apply': { who: 'administrators', body: { csv: 'evil.example', kind: 'block' } },
  'GET /admin/peers/rules/:domain': { who: 'administrators' },
  'POST /admin/peers/rules/:domain': { who: 'administrators', body: { kind: 'allow' } },
  'POST /admin/peers/rules/:domain/remove': { who: 'administrators' },

  'GET /services': { who: 'everyone' },
  'GET /services/:id': { who: 'readers' },
  'GET /changes': { who: 'everyone' },
  'GET /changes.atom': { who: 'everyone' },
  'GET /directory.json': { who: 'everyone' },
  'GET /catalogue.json': { who: 'everyone' },
  'GET /catalogue.csv': { who: 'everyone' },
  'GET /collectives': { who: 'everyone' },
  'GET /@:name': { who: 'readers' },
  'GET /@:name/services/:slug': { who: 'readers' },
  'GET /@:name/posts': { who: 'readers' },
  'GET /@:name/posts/:post': { who: 'readers' },
  'GET /@:name/posts.atom': { who: 'readers' },
  'GET /@:name/librehost.json': { who: 'readers' },
  'GET /.well-known/chatonsinfos/:file': { who: 'readers' },
  'GET /media/:id': { who: 'readers' },

  'GET /my/collectives': { who: 'signedIn' },
  'GET /my/collectives/new': { who: 'administrators' },
  'POST /my/collectives/new': {
    who: 'administrators',
    body: { 'name.fr': 'Gamma', 'name.en': '', handle: 'gamma', legalForm: 'ASSOCIATION' },
  },
  [`GET ${mine}`]: { who: 'members' },
  [`POST ${mine}/status`]: {
    who: 'members',
    body: { ...version, status: 'AWAY', 'statusDescription.fr': '', 'statusDescription.en': '', endDate: '' },
  },
  [`POST ${mine}/publish`]: { who: 'members' },
  [`POST ${mine}/unpublish`]: { who: 'representatives' },
  [`GET ${mine}/profile`]: { who: 'members' },
  [`POST ${mine}/profile`]: { who: 'members', body: { ...version, 'name.fr': 'Renamed' } },
  [`GET ${mine}/logo`]: { who: 'members' },
  [`POST ${mine}/logo`]: { who: 'members', file: 'logo' },
  [`POST ${mine}/logo/remove`]: { who: 'members' },
  [`GET ${mine}/settings`]: { who: 'representatives' },
  [`POST ${mine}/settings`]: { who: 'representatives', body: { ...version, acceptsFollowers: 'at-once' } },
  [`POST ${mine}/delete`]: { who: 'representatives', body: { handle: 'alpha' } },
  [`POST ${mine}/restore`]: { who: 'representatives' },
  [`GET ${mine}/members`]: { who: 'members' },
  [`POST ${mine}/members/invite`]: {
    who: 'representatives',
    body: { email: 'friend@example.org', role: 'representative' },
  },
  [`POST ${mine}/members/invitations/:invitation/revoke`]: { who: 'representatives' },
  [`POST ${mine}/members/:person/role`]: { who: 'representatives', body: { role: 'representative' } },
  [`POST ${mine}/members/:person/remove`]: { who: 'representatives' },
  [`GET ${mine}/followers`]: { who: 'members' },
  [`POST ${mine}/followers/:follow/accept`]: { who: 'representatives' },
  [`POST ${mine}/followers/:follow/reject`]: { who: 'representatives' },
  [`POST ${mine}/followers/:follow/remove`]: { who: 'representatives' },
  [`GET ${mine}/partners`]: { who: 'members' },
  [`GET ${mine}/partners/posts/:post`]: { who: 'members' },
  [`GET ${mine}/partners/find`]: { who: 'members' },
  [`POST ${mine}/partners/follow`]: {
    who: 'members',
    body: { actor: 'https://elsewhere.example/users/follows-alpha', list: '' },
  },
  [`GET ${mine}/partners/following`]: { who: 'members' },
  [`POST ${mine}/partners/following/:following/unfollow`]: { who: 'members' },
  [`POST ${mine}/partners/following/:following/mute`]: { who: 'members' },
  [`POST ${mine}/partners/following/:following/unmute`]: { who: 'members' },
  [`POST ${mine}/partners/following/:following/list`]: { who: 'members', body: { list: 'local' } },
  [`GET ${me}/partners`]: { who: 'signedIn' },
  [`GET ${me}/partners/posts/:post`]: { who: 'owners' },
  [`GET ${me}/partners/find`]: { who: 'signedIn' },
  [`POST ${me}/partners/follow`]: {
    who: 'signedIn',
    body: { actor: 'https://elsewhere.example/users/follows-alpha', list: '' },
  },
  [`GET ${me}/partners/following`]: { who: 'signedIn' },
  [`POST ${me}/partners/following/:following/unfollow`]: { who: 'owners' },
  [`POST ${me}/partners/following/:following/mute`]: { who: 'owners' },
  [`POST ${me}/partners/following/:following/unmute`]: { who: 'owners' },
  [`POST ${me}/partners/following/:following/list`]: { who: 'owners', body: { list: 'local' } },
  [`POST ${mine}/partners/posts/:post/like`]: { who: 'members' },
  [`POST ${mine}/partners/posts/:post/boost`]: { who: 'members' },
  [`POST ${mine}/partners/posts/:post/unlike`]: { who: 'members' },
  [`POST ${mine}/partners/posts/:post/unboost`]: { who: 'members' },
  [`POST ${me}/partners/posts/:post/like`]: { who: 'owners' },
  [`POST ${me}/partners/posts/:post/boost`]: { who: 'owners' },
  [`POST ${me}/partners/posts/:post/unlike`]: { who: 'owners' },
  [`POST ${me}/partners/posts/:post/unboost`]: { who: 'owners' },
  [`POST ${mine}/partners/posts/:post/reply`]: { who: 'members', body: { text: 'Bonjour' } },
  [`POST ${me}/partners/posts/:post/reply`]: { who: 'owners', body: { text: 'Bonjour' } },
  [`GET ${mine}/history`]: { who: 'members' },

  [`GET ${mine}/asked`]: { who: 'members' },
  [`GET ${mine}/asked/:survey`]: { who: 'members' },
  [`POST ${mine}/asked/:survey`]: { who: 'ownPeople', body: { 'a.q': 'Oui', version: '1' } },
  [`GET ${mine}/asked/:survey/done`]: { who: 'members' },
  [`POST ${mine}/asked/:survey/withdraw`]: { who: 'ownPeople' },
  [`GET ${mine}/posts`]: { who: 'members' },
  [`GET ${mine}/posts/new`]: { who: 'members' },
  [`POST ${mine}/posts/new`]: {
    who: 'members',
    body: { 'text.fr': 'Bonjour', 'text.en': '', step: 'publish', version: '0' },
  },
  [`GET ${mine}/posts/:post/edit`]: { who: 'members' },
  [`POST ${mine}/posts/:post/edit`]: {
    who: 'members',
    body: { 'text.fr': 'Autre', 'text.en': '', step: 'publish', version: '1' },
  },
  [`GET ${mine}/posts/:post/delete`]: { who: 'members' },
  [`POST ${mine}/posts/:post/delete`]: { who: 'members' },

  [`GET ${mine}/services`]: { who: 'members' },
  [`GET ${mine}/services/new`]: { who: 'members' },
  [`POST ${mine}/services/new`]: { who: 'members', body: { 'name.fr': 'Courriel', 'name.en': '', software: '' } },
  [`GET ${service}`]: { who: 'members' },
  [`POST ${service}`]: { who: 'members', body: { ...version, 'name.fr': 'Renamed' } },
  [`POST ${service}/publish`]: { who: 'members' },
  [`POST ${service}/unpublish`]: { who: 'members' },
  [`GET ${service}/withdraw`]: { who: 'members' },
  [`POST ${service}/withdraw`]: { who: 'members' },
  [`POST ${service}/restore`]: { who: 'members' },
  [`GET ${service}/close`]: { who: 'members' },
  [`POST ${service}/close`]: { who: 'members', body: { endDate: '2027-01-01' } },
  [`GET ${service}/metrics`]: { who: 'members' },
  [`POST ${service}/metrics`]: { who: 'members', body: { path: 'http.visits', year: '2026', pasted: '1,2,3' } },

  [`GET ${infos}`]: { who: 'members' },
  [`POST ${infos}/url`]: { who: 'members', body: { url: 'https://files.example/organization.properties' } },
  [`POST ${infos}/files`]: { who: 'members', body: { text: 'file.class=organization\norganization.name=X\n' } },
  [`GET ${infos}/:import`]: { who: 'members' },
  [`POST ${infos}/:import/correct`]: {
    who: 'members',
    body: { address: '{file}', line: '1', key: 'file.class', value: 'organization' },
  },
  [`POST ${infos}/:import/skip`]: { who: 'members', body: { part: 'collective', skip: 'on' } },
  [`POST ${infos}/:import/cancel`]: { who: 'members' },
  [`POST ${infos}/:import/apply`]: { who: 'members', body: { digest: '0'.repeat(32), everyHours: '12' } },
  [`POST ${infos}/source/hours`]: { who: 'members', body: { everyHours: '24' } },
  [`POST ${infos}/source/restart`]: { who: 'members' },
  [`POST ${infos}/source/remove`]: { who: 'members' },
};

/** Addresses of servers, of machines that watch, and of files: they know no person, and no session. */
export const wire: readonly string[] = [
  'GET /health/live',
  'GET /health/ready',
  'GET /metrics',
  'GET /.well-known/webfinger',
  'GET /.well-known/nodeinfo',
  'GET /.well-known/host-meta',
  'GET /nodeinfo/2.0',
  'GET /nodeinfo/2.1',
  'POST /inbox',
  'ALL /inbox',
  'POST /actors/:name/inbox',
  'ALL /actors/:name/inbox',
  'GET /actors/:name',
  'GET /actors/:name/outbox',
  'GET /actors/:name/followers',
  'GET /actors/:name/followers/synchronization',
  'GET /actors/:name/following',
  'GET /objects/:id',
  'GET /activities/:id',
  'GET /ns/v1',
];
