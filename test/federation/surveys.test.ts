// A survey across two instances: announced, shown, answered and receipted; the owner away and back; closing and results arriving;
// and everything that somebody could send who is not entitled to it.
import { expect } from 'chai';
import { activitiesIn } from '../../federation/activities.js';
import { surveyIriFor } from '../../federation/announce/surveys.js';
import { fetchActor } from '../../federation/remoteActors.js';
import { reviewAnswers, reviewSections } from '../../jobs/roseauReview.js';
import type { Collective } from '../../server/collectives/schema.js';
import { DomainError, InvalidFields } from '../../server/errors.js';
import { setRule } from '../../server/instances/actions/domainRules.js';
import { block } from '../../server/partners/actions/blocking.js';
import { readLink } from '../../server/secrets.js';
import type { Doc } from '../../server/store/store.js';
import { submitAnswer } from '../../server/surveys/actions/answering.js';
import {
  deleteSurvey,
  restoreSurvey,
  type SurveySettings,
  saveSections,
  saveSettings,
} from '../../server/surveys/actions/drafting.js';
import { chooseSlot, closeSurvey, extendSurvey, publishResults } from '../../server/surveys/actions/running.js';
import { recallAnswer, saveRemoteDraft, sendAnswer } from '../../server/surveys/actions/sending.js';
import { answererFor, findAsked, findOwnAnswer, listAsked } from '../../server/surveys/askedSurveys.js';
import { answersIn, ballotsIn, countAnswers, findAnswer, getSurvey } from '../../server/surveys/queries.js';
import {
  findRemoteSurvey,
  receiptsIn,
  remoteSurveyKey,
  remoteSurveysIn,
  sentAnswersIn,
} from '../../server/surveys/remoteSurveys.js';
import { linkPurpose, linkRecord } from '../../server/surveys/rules.js';
import type { Invited, Section, Survey } from '../../server/surveys/schema.js';
import { listTold } from '../../server/surveys/told.js';
import { refusalOf } from '../server/collectives/collectiveSupport.js';
import { buildSurvey } from '../server/surveys/surveySupport.js';
import type { Peer, PeerActor } from '../support/peer/peer.js';
import { addCollective, type FederatedApp, nothingStored, startFederatedApp, startPeer } from './federatedApp.js';

type Json = Record<string, unknown>;
const actorOf = (app: FederatedApp, { handle }: Collective) => `${app.baseUrl}/actors/${handle}`;
const objectOf = (json: Json | undefined): Json => (json?.object ?? {}) as Json;
const hour = 3_600_000;
const activityJson = 'application/activity+json';

/** A collective of one app as it stands in a survey of another. */
function invitedFrom(app: FederatedApp, collective: Collective): Invited {
  const { handle, profile } = collective;
  return {
    iri: actorOf(app, collective),
    collectiveId: null,
    name: profile.name.fr,
    handle: `${handle}@${app.house.site.host}`,
  };
}

describe('surveys across two instances', () => {
  let owner: FederatedApp;
  let home: FederatedApp;
  let asking: Collective;
  let asked: Collective;

  before(async () => {
    owner = await startFederatedApp({ privateHosts: [] });
    home = await startFederatedApp({ privateHosts: [owner.house.site.host] });
    (owner.house.privateHosts as string[]).push(home.house.site.host);
    asking = await addCollective(owner, { handle: 'roseau' });
    asked = await addCollective(home, { handle: 'fournil' });
    await fetchActor(owner.federation, actorOf(home, asked));
  });

  /** What is to be said is said and taken, there and back. */
  async function settle(): Promise<void> {
    for (const app of [owner, home, owner, home]) await app.run();
  }

  async function ask(overrides: Partial<SurveySettings> & { sections?: Section[] } = {}): Promise<Survey> {
    const survey = await buildSurvey(owner.ctx(), asking, [], {
      invited: [invitedFrom(home, asked)],
      closesAt: new Date(owner.house.now().getTime() + 48 * hour),
      ...overrides,
    });
    await settle();
    return survey;
  }

  const keyOf = (survey: Survey) => remoteSurveyKey(surveyIriFor(owner.federation, survey._id, actorOf(home, asked)));
  const answerer = () => answererFor(home.ctx(), asked);
  const seen = async (survey: Survey) => {
    const found = await findAsked(home.ctx(), asked, keyOf(survey));
    if (found === null) throw new Error('it is not shown');
    return found;
  };
  const own = async (survey: Survey) => findOwnAnswer(home.ctx(), await seen(survey), answerer());
  const send = (survey: Survey, raw: Json, version = survey.version) =>
    sendAnswer(home.ctx(), {
      surveyId: keyOf(survey),
      answerer: answerer(),
      by: 'p1',
      byName: 'Camille',
      version,
      raw,
    });

  it('is shown where the asked live, in their words, with questions, dates and who asks', async () => {
    const reminders = { halfTime: false, twoDays: true, lastDay: false };
    const survey = await ask({ reminders });
    expect(await findRemoteSurvey(home.house.store, keyOf(survey))).to.deep.include({ reminders });
    const shown = await seen(survey);
    const { sections, title, closesAt, names, timeZone, languages, version } = shown;
    expect({ title, closesAt, names, timeZone, languages, version, state: shown.state }).to.deep.equal({
      title: survey.title,
      closesAt: survey.closesAt,
      names: 'named',
      timeZone: 'Europe/Paris',
      languages: ['fr', 'en'],
      version: 1,
      state: 'open',
    });
    expect(sections).to.deep.equal(reviewSections);
    expect(shown.organiser.handle).to.equal(`roseau@${owner.house.site.host}`);
    const lines = await listAsked(home.ctx(), asked);
    expect(lines.map((line) => line.asked.key)).to.include(keyOf(survey));
  });

  it('reaches several on one instance at once: none waits for another, and the end is heard after the beginning', async () => {
    const second = await addCollective(home, { handle: 'gouttiere' });
    await fetchActor(owner.federation, actorOf(home, second));
    const survey = await ask({ invited: [asked, second].map((one) => invitedFrom(home, one)) });
    for (const one of [asked, second]) {
      expect((await listAsked(home.ctx(), one)).map((line) => line.asked.state)).to.include('open');
    }
    await closeSurvey(owner.ctx(), survey._id);
    await settle();
    const [line] = await listAsked(home.ctx(), second);
    expect(line?.asked.state).to.equal('closed');
  });

  it('says to organisers who elsewhere has been told, who waits, and who cannot be', async () => {
    const nobody = { iri: 'https://nobody.example/h', collectiveId: null, name: 'Zéro', handle: 'h@nobody.example' };
    const survey = await buildSurvey(owner.ctx(), asking, [], { invited: [invitedFrom(home, asked), nobody] });
    const statesAt = async (ms: number) => {
      const ctx = { ...owner.ctx(), now: new Date(owner.house.now().getTime() + ms) };
      return (await listTold(ctx, survey)).map(({ state }) => state);
    };
    expect(await statesAt(0)).to.deep.equal(['waiting', 'waiting']);
    await settle();
    expect(await statesAt(5 * 60_000)).to.deep.equal(['told', 'unknown']);
    const iri = surveyIriFor(owner.federation, survey._id, actorOf(home, asked));
    const said = await activitiesIn(owner.federation).findOne({ objectIri: iri });
    const rows = owner.house.store.collection<Doc & { state: string }>('deliveries');
    for (const state of ['waiting', 'failed', 'held']) {
      await rows.insertOne({ _id: `${said?._id} 1`, state });
      expect(await statesAt(5 * 60_000)).to.deep.equal([state, 'unknown']);
      await rows.deleteOne({ _id: `${said?._id} 1` });
    }
  });

  it('takes the answer there, tells the answerer, takes the correction, and lets it be withdrawn', async () => {
    const survey = await ask();
    await send(survey, reviewAnswers.fournil ?? {});
    expect((await own(survey)).sent).to.include({ state: 'sent', receiptAt: null, isUnreachable: false });
    await settle();
    const first = await findAnswer(owner.house.store, survey._id, actorOf(home, asked));
    expect(first).to.include({ byName: '', home: home.house.site.host, by: '' });
    for (const { house } of [home, owner]) {
      const said = await house.store.collection<Doc & { json?: string }>('activities').find({}).toArray();
      expect(JSON.stringify(said)).to.not.include('Camille');
    }
    const sent = await own(survey);
    expect(sent.sent?.state).to.equal('accepted');
    expect(first?.values).to.deep.equal(sent.values);
    await send(survey, reviewAnswers.ecluse ?? {});
    await settle();
    const second = await findAnswer(owner.house.store, survey._id, actorOf(home, asked));
    expect(second?.values).to.not.deep.equal(first?.values);
    expect(second?.edits).to.have.length(1);
    expect(await countAnswers(owner.house.store, survey)).to.equal(1);
    expect((await own(survey)).edits).to.have.length(1);
    await recallAnswer(home.ctx(), keyOf(survey), answerer());
    await settle();
    expect(await countAnswers(owner.house.store, survey)).to.equal(0);
    expect(await own(survey)).to.deep.include({ values: null, isAnswered: false });
    await send(survey, reviewAnswers.ecluse ?? {});
    await settle();
    expect(await countAnswers(owner.house.store, survey)).to.equal(1);
    expect((await own(survey)).sent?.state).to.equal('accepted');
  });

  it('waits while the owner is away, says so, and arrives when it is back', async () => {
    const survey = await ask();
    owner.pass(0);
    const { surveyLimit } = owner.federation;
    owner.federation.surveyLimit = { take: () => false } as unknown as typeof surveyLimit;
    await send(survey, reviewAnswers.fournil ?? {});
    await settle();
    expect((await own(survey)).sent).to.include({ state: 'sent', isUnreachable: true });
    owner.federation.surveyLimit = surveyLimit;
    for (const app of [home, owner]) app.pass(30);
    await settle();
    expect((await own(survey)).sent).to.include({ state: 'accepted', isUnreachable: false });
  });

  it('tells of new questions, more time, the end and the results, in this order or another', async () => {
    const survey = await ask();
    await send(survey, reviewAnswers.fournil ?? {});
    await settle();
    const [first] = reviewSections;
    if (!first) throw new Error('no section');
    const changed = [{ ...first, title: { fr: 'Autre titre', en: 'Other title' } }, ...reviewSections.slice(1)];
    await saveSections(owner.ctx(), survey._id, { revision: survey.revision, sections: changed });
    await settle();
    expect((await seen(survey)).version).to.equal(2);
    expect(await refusalOf(send(survey, reviewAnswers.ecluse ?? {}, 1))).to.equal('invalid surveys.error.version');
    const later = new Date((survey.closesAt?.getTime() ?? 0) + hour);
    await extendSurvey(owner.ctx(), survey._id, { closesAt: later, revision: survey.revision + 1 });
    await settle();
    expect((await seen(survey)).closesAt).to.deep.equal(later);
    await closeSurvey(owner.ctx(), survey._id);
    await settle();
    expect((await seen(survey)).state).to.equal('closed');
    expect(await refusalOf(send(survey, reviewAnswers.ecluse ?? {}, 2))).to.equal('closed surveys.error.closed');
    expect((await seen(survey)).published).to.equal(null);
    const { revision } = await getSurvey(owner.house.store, survey._id);
    const hidden = ['hours'];
    const notes = { fr: 'Merci', en: 'Thanks' };
    await publishResults(owner.ctx(), survey._id, { revision, readers: 'members', hidden, notes });
    await settle();
    const { published } = await seen(survey);
    expect(published).to.deep.include({ answers: 1, asked: 1, notes });
    const questions = published?.counted.sections.flatMap((section) => section.questions) ?? [];
    const all = changed.flatMap((section) => section.questions).map(({ id }) => id);
    expect(questions.map(({ question }) => question.id)).to.deep.equal(all.filter((id) => id !== 'hours'));
    expect(questions.find(({ question }) => question.kind === 'multiple')?.choices).to.not.equal(undefined);
  });

  it('brings the date that was chosen, to be read and put into a calendar without published results', async () => {
    const startsAt = new Date(Date.UTC(2027, 0, 5, 18));
    const dates: Section[] = [
      {
        ...{ id: 's', title: {}, intro: {}, showIf: null },
        questions: [
          {
            ...{ id: 'when', label: { fr: 'Quand ?' }, help: {}, required: false, showIf: null, criterion: '' },
            ...{ kind: 'availability', slots: [{ id: 'd1', startsAt, endsAt: null }] },
          },
        ],
      },
    ];
    const survey = await ask({ sections: dates });
    expect((await seen(survey)).slot).to.equal(null);
    await closeSurvey(owner.ctx(), survey._id);
    await chooseSlot(owner.ctx(), survey._id, { question: 'when', slot: 'd1' });
    await settle();
    const { slot, published } = await seen(survey);
    expect(slot).to.deep.equal({ id: 'd1', startsAt, endsAt: null });
    expect(published).to.equal(null);
  });

  it('goes when it is deleted, and comes back when it is taken back', async () => {
    const survey = await ask();
    await deleteSurvey(owner.ctx(), survey._id);
    await settle();
    expect(await findAsked(home.ctx(), asked, keyOf(survey))).to.equal(null);
    expect(await refusalOf(send(survey, reviewAnswers.fournil ?? {}))).to.equal('gone surveys.error.gone');
    await restoreSurvey(owner.ctx(), survey._id);
    await settle();
    expect((await seen(survey)).state).to.equal('open');
  });

  it('refuses what left after the end, and takes what left before it where the survey says so', async () => {
    for (const late of ['refuse', 'sentInTime'] as const) {
      const survey = await ask({ late });
      await send(survey, reviewAnswers.fournil ?? {});
      await home.announce();
      // The answer has left; the end comes before it arrives.
      owner.pass(1);
      await closeSurvey(owner.ctx(), survey._id);
      await settle();
      const { sent } = await own(survey);
      if (late === 'sentInTime') expect(sent?.state).to.equal('accepted');
      else {
        expect(sent?.state).to.equal('refused');
        expect(sent?.refusal?.errors).to.deep.equal([
          { field: '', message: { key: 'surveys.error.closed', params: {} } },
        ]);
      }
      home.pass(1);
    }
  });

  it('keeps a draft here, and sends nothing of it', async () => {
    const survey = await ask();
    const input = { surveyId: keyOf(survey), answerer: answerer(), byName: 'Camille', version: 1 };
    await saveRemoteDraft(home.ctx(), { ...input, raw: { hours: '3' } });
    expect((await own(survey)).draft?.values).to.deep.equal({ hours: { number: 3 } });
    await settle();
    expect(await countAnswers(owner.house.store, survey)).to.equal(0);
  });

  it('gives each collective elsewhere its own link to an anonymous one, and takes no answer from afar', async () => {
    const survey = await ask({ names: 'anonymous' });
    const shown = await seen(survey);
    const token = shown.elsewhere?.link?.split('/').at(-1) ?? '';
    expect(shown.elsewhere?.link).to.equal(`${owner.baseUrl}/surveys/by-link/${token}`);
    const record = linkRecord(survey._id, actorOf(home, asked));
    expect(readLink(owner.house.secret, linkPurpose, token)).to.equal(record);
    expect(await refusalOf(send(survey, reviewAnswers.fournil ?? {}))).to.equal(
      'not-allowed surveys.error.anonymousByLink',
    );
    expect(await ballotsIn(owner.house.store).countDocuments({ surveyId: survey._id })).to.equal(0);
  });

  it('is announced to everybody as a Note with a link where anybody may answer, without its questions', async () => {
    const survey = await buildSurvey(owner.ctx(), asking, [], { answerBy: 'anyone', listed: true });
    await settle();
    const peer = await startPeer();
    const note = await peer.getJson(`${owner.baseUrl}/objects/${survey._id}`);
    expect(note).to.include({ type: 'Note', url: `${owner.baseUrl}/surveys/${survey._id}` });
    expect(note.to).to.deep.equal(['https://www.w3.org/ns/activitystreams#Public']);
    expect(note).to.not.have.any.keys('survey', 'surveyResults');
    expect(String(note.content)).to.include('Revue 2026');
  });

  it('is announced to nobody but by its link, unless everybody is to find it; and goes when nobody is to any more', async () => {
    const survey = await buildSurvey(owner.ctx(), asking, [], { answerBy: 'anyone' });
    const listed = async (is: boolean) => {
      const now = await getSurvey(owner.house.store, survey._id);
      await saveSettings(owner.ctx(), survey._id, { ...now, listed: is });
      await settle();
      return (await fetch(`${owner.baseUrl}/objects/${survey._id}`, { headers: { accept: activityJson } })).status;
    };
    expect(await listed(false)).to.equal(404);
    expect(await listed(true)).to.equal(200);
    expect(await listed(false)).to.equal(410);
    // Others keep the old id as deleted: listed again, it is something new, and the old address stays gone.
    expect(await listed(true)).to.equal(410);
    expect(await listed(true)).to.equal(410);
    expect(await listed(false)).to.equal(410);
    await closeSurvey(owner.ctx(), survey._id);
    const said = await activitiesIn(owner.federation)
      .find({ subject: `survey:${survey._id}` }, { sort: { _id: 1 } })
      .toArray();
    expect(said.map(({ type }) => type).filter((type) => type !== 'Update')).to.deep.equal([
      ...['Create', 'Delete', 'Create', 'Delete'],
    ]);
    const ids = new Set(said.map(({ objectIri }) => objectIri));
    expect(ids.size).to.equal(2);
    const statuses = await Promise.all(
      [...ids].map(async (iri) => (await fetch(iri ?? '', { headers: { accept: activityJson } })).status),
    );
    expect(statuses).to.deep.equal([410, 410]);
  });
});

describe('surveys and whoever is not entitled', () => {
  let app: FederatedApp;
  let peer: Peer;
  let hoster: PeerActor;
  let stranger: PeerActor;
  let asking: Collective;
  let local: Collective;

  before(async () => {
    peer = await startPeer(0, '127.0.0.2');
    app = await startFederatedApp({ privateHosts: [peer.host] });
    peer.now = app.house.now;
    hoster = peer.addActor('hoster', { type: 'Organization' });
    stranger = peer.addActor('stranger', { type: 'Organization' });
    asking = await addCollective(app);
    local = await addCollective(app);
    for (const { iri } of [hoster, stranger]) await fetchActor(app.federation, iri);
  });

  beforeEach(async () => {
    // What the test before left to be said.
    await app.run();
    peer.received.length = 0;
  });

  const invited = (): Invited[] => [
    { iri: hoster.iri, collectiveId: null, name: 'Hoster', handle: `hoster@${peer.host}` },
    { iri: actorOf(app, local), collectiveId: local._id, name: 'Local', handle: local.handle },
  ];
  const open = async (overrides: Partial<SurveySettings> = {}): Promise<Survey> => {
    const closesAt = new Date(app.house.now().getTime() + 48 * hour);
    const survey = await buildSurvey(app.ctx(), asking, [], { invited: invited(), closesAt, ...overrides });
    await app.run();
    return survey;
  };
  const iriOf = (survey: Survey, { iri } = hoster) => surveyIriFor(app.federation, survey._id, iri);
  let serial = 0;

  interface Lie {
    as?: PeerActor;
    type?: string;
    id?: string;
    object?: Json;
    answer?: Json;
  }

  const answerTo = (
    survey: Survey,
    raw: Json,
    { as = hoster, type = 'Create', id, object, answer }: Lie = {},
  ): Json => ({
    '@context': 'https://www.w3.org/ns/activitystreams',
    id: id ?? peer.nextId(),
    type,
    actor: as.iri,
    to: [actorOf(app, asking)],
    object: {
      id: `${peer.origin}/answers/${++serial}`,
      type: 'SurveyAnswer',
      attributedTo: as.iri,
      inReplyTo: iriOf(survey),
      answer: {
        version: 1,
        byName: 'Sacha',
        sentAt: app.house.now().toISOString(),
        values: JSON.stringify(raw),
        ...answer,
      },
      ...object,
    },
  });
  const post = async (activity: Json, as = hoster) => (await peer.post(as, `${app.baseUrl}/inbox`, activity)).status;
  const receipts = async (type: 'Accept' | 'Reject'): Promise<Json[]> => {
    await app.run();
    return peer.ofType(type).map(({ json }) => json);
  };
  const fair = reviewAnswers.fournil ?? {};

  it('tells who is asked of the survey alone: nobody else may read it, and none learns who else is asked', async () => {
    const survey = await open();
    const creates = peer.ofType('Create').map(({ json }) => json);
    const created = creates.find((json) => objectOf(json).id === iriOf(survey));
    expect(created?.to).to.deep.equal([hoster.iri]);
    expect(JSON.stringify(created)).to.not.include(local.handle);
    expect(objectOf(created).survey).to.include({ revision: survey.revision, names: 'named', state: 'open' });
    expect((await peer.get(iriOf(survey))).status).to.equal(404);
    expect((await peer.getSigned(stranger, iriOf(survey))).status).to.equal(404);
    expect((await peer.getSigned(hoster, iriOf(survey))).status).to.equal(200);
  });

  it('answers with one receipt, however often the same answer comes, and keeps what was answered in one place', async () => {
    const survey = await open();
    const activity = answerTo(survey, fair);
    for (const _time of [1, 2, 3]) expect(await post(activity)).to.equal(202);
    const [accept, ...others] = await receipts('Accept');
    expect(others).to.deep.equal([]);
    expect(accept).to.deep.include({ actor: actorOf(app, asking), to: [hoster.iri] });
    expect(objectOf(accept).id).to.equal((activity.object as Json).id);
    const kept = await findAnswer(app.house.store, survey._id, hoster.iri);
    // Who of them it was is theirs to know, also when they say it.
    expect(kept).to.include({ byName: '', home: peer.host });
    const received = await app.house.store.collection('received').findOne({ _id: String(activity.id) });
    expect(JSON.stringify(received)).to.not.include('Sacha');
    expect(kept?.edits).to.deep.equal([]);
  });

  it('takes the same answer again after a crash between answer and receipt, without a second one', async () => {
    const survey = await open();
    const activity = answerTo(survey, fair);
    await post(activity);
    await receiptsIn(app.house.store).deleteMany({ surveyId: survey._id });
    await app.house.store
      .collection<{ _id: string; isDone: boolean }>('received')
      .updateOne({ _id: String(activity.id) }, { $set: { isDone: false } });
    expect(await post(activity)).to.equal(202);
    expect((await findAnswer(app.house.store, survey._id, hoster.iri))?.edits).to.deep.equal([]);
    expect(await receipts('Accept')).to.have.length(1);
  });

  it('keeps what was sent later when an older answer or withdrawal arrives after it', async () => {
    const survey = await open();
    const now = app.house.now().getTime();
    const sentAt = (ms: number) => ({ answer: { sentAt: new Date(now + ms).toISOString() } });
    await post(answerTo(survey, fair, sentAt(-1000)));
    await post(answerTo(survey, reviewAnswers.ecluse ?? {}, { type: 'Update', ...sentAt(-5000) }));
    const [late] = await receipts('Reject');
    expect((late?.refusal as Json | undefined)?.code).to.equal('conflict');
    const object = {
      id: `${peer.origin}/answers/1`,
      type: 'Tombstone',
      formerType: 'SurveyAnswer',
      inReplyTo: iriOf(survey),
      deleted: new Date(now - 4000).toISOString(),
    };
    const gone = { id: peer.nextId(), type: 'Delete', actor: hoster.iri, object };
    expect(await post(gone)).to.equal(202);
    expect(await countAnswers(app.house.store, survey)).to.equal(1);
    const again = { ...gone, id: peer.nextId(), object: { ...object, deleted: new Date(now).toISOString() } };
    expect(await post(again)).to.equal(202);
    expect(await countAnswers(app.house.store, survey)).to.equal(0);
  });

  it('refuses, and keeps nothing of, answers by others, for others, to nothing, and anonymous ones', async () => {
    const survey = await open();
    const hidden = await open({ names: 'anonymous' });
    await app.run();
    const unasked = answerTo(survey, fair, { as: stranger, object: { inReplyTo: iriOf(survey, stranger) } });
    const second = { ...invited()[0], iri: stranger.iri, name: 'Second' } as Invited;
    const shared = await open({ invited: [...invited(), second] });
    await app.run();
    peer.received.length = 0;
    const listed = (one: Json): Json => ({ ...one, object: [one.object] as unknown as Json });
    const tomorrow = { sentAt: new Date(app.house.now().getTime() + 24 * hour).toISOString() };
    const cases: [string, number, Json, PeerActor][] = [
      ['what was sent to another who is asked', 403, answerTo(shared, fair, { as: stranger }), stranger],
      ['not asked', 403, unasked, stranger],
      ['the survey of another', 403, answerTo(survey, fair, { as: stranger }), stranger],
      ['attributed to another', 403, answerTo(survey, fair, { object: { attributedTo: stranger.iri } }), hoster],
      ['forged: signed by a stranger', 403, answerTo(survey, fair), stranger],
      ['no such survey', 404, answerTo(survey, fair, { object: { inReplyTo: `${app.baseUrl}/objects/none` } }), hoster],
      ['anonymous', 403, answerTo(hidden, fair), hoster],
      ['anonymous, of two types', 400, answerTo(hidden, fair, { object: { type: ['SurveyAnswer', 'Note'] } }), hoster],
      [
        'anonymous, of another two',
        400,
        answerTo(hidden, fair, { object: { type: ['Note', 'SurveyAnswer'] } }),
        hoster,
      ],
      ['anonymous, in a list', 403, listed(answerTo(hidden, fair)), hoster],
      ['values that are no JSON', 400, answerTo(survey, fair, { answer: { values: '{' } }), hoster],
      ['no moment', 400, answerTo(survey, fair, { answer: { sentAt: 'now' } }), hoster],
      [
        'sent in the future, to stand before every correction',
        400,
        answerTo(survey, fair, { answer: tomorrow }),
        hoster,
      ],
      ['from another server', 403, answerTo(survey, fair, { object: { id: `${app.baseUrl}/objects/x` } }), hoster],
    ];
    for (const [what, status, activity, as] of cases) {
      expect(await nothingStored(app, () => post(activity, as)), what).to.equal(status);
    }
    expect(await receipts('Reject')).to.deep.equal([]);
  });

  // What the deed says, the receipt says. What a form makes of the same: test/server/surveys/bothDoors.test.ts.
  const many = Array.from({ length: 10_000 }, (_, index) => `c${index}`);
  const table: [string, Json, number?][] = [
    ['nothing answered', {}],
    ['an option that does not exist', { ...fair, tasks: { chosen: ['nonsense'], other: '' } }],
    ['ten thousand options', { ...fair, tasks: { chosen: many.slice(0, 5000), other: '' } }],
    ['a number beyond its bounds', { ...fair, hours: { number: 10_000 } }],
    ['something else than a number', { ...fair, hours: { text: 'many' } }],
    ['a question that does not exist', { ...fair, nonsense: { text: 'x' } }],
    ['a version that is not there', fair, 99],
    ['what is needed missing', Object.fromEntries(Object.entries(fair).filter(([id]) => id !== 'hours'))],
  ];
  for (const [what, raw, version = 1] of table) {
    it(`refuses ${what} from afar in the words of the deed`, async () => {
      const survey = await open();
      const answerer = answererFor(app.ctx(), local);
      const by = { by: 'p', byName: 'P', home: '' };
      const said = await submitAnswer(app.ctx(), {
        surveyId: survey._id,
        answerer,
        ...by,
        version,
        raw,
        strict: true,
      }).then(
        () => null,
        (error: unknown) => error,
      );
      if (!(said instanceof DomainError)) throw new Error('the deed takes it');
      const fields =
        said instanceof InvalidFields ? said.errors : [{ field: said.field ?? '', message: said.safeMessage }];
      expect(await post(answerTo(survey, raw, { answer: { version } }))).to.equal(202);
      const [reject] = await receipts('Reject');
      const refusal = (reject?.refusal ?? {}) as { code: string; errors: unknown[] };
      expect(refusal.code).to.equal(said.code);
      expect(refusal.errors).to.deep.equal(JSON.parse(JSON.stringify(fields)));
      expect(reject?.summary).to.equal(
        [...new Set(fields.map(({ message }) => app.house.i18n.translator('fr')(message.key, message.params)))].join(
          ' ',
        ),
      );
      expect(await answersIn(app.house.store).countDocuments({ surveyId: survey._id })).to.equal(0);
    });
  }

  it('refuses alike in a form and from afar after the end, and after it was deleted', async () => {
    for (const [deed, key] of [
      [closeSurvey, 'closed surveys.error.closed'],
      [deleteSurvey, 'gone surveys.error.gone'],
    ] as const) {
      const survey = await open();
      await deed(app.ctx(), survey._id);
      peer.received.length = 0;
      const answerer = answererFor(app.ctx(), local);
      const by = { by: 'p', byName: 'P', home: '' };
      const form = submitAnswer(app.ctx(), { surveyId: survey._id, answerer, ...by, version: 1, raw: fair });
      expect(await refusalOf(form)).to.equal(key);
      expect(await post(answerTo(survey, fair))).to.equal(202);
      const reject = ((await receipts('Reject')).at(-1)?.refusal ?? {}) as {
        code: string;
        errors: { message: { key: string } }[];
      };
      expect(`${reject.code} ${reject.errors?.[0]?.message.key}`).to.equal(key);
    }
  });

  describe('that ask ours', () => {
    const definition = (change: Json = {}): Json => ({
      ...{ revision: 2, version: 1, title: { en: 'A question' }, intro: {}, languages: ['en'], timeZone: 'UTC' },
      ...{ names: 'named', late: 'refuse', answerBy: 'collective', state: 'open', closesAt: null, closedAt: null },
      questions: JSON.stringify(reviewSections),
      ...change,
    });
    const surveyNote = (id: string, change: Json = {}, survey: Json = {}, as = hoster): Json => ({
      '@context': 'https://www.w3.org/ns/activitystreams',
      id: peer.nextId(),
      type: 'Create',
      actor: as.iri,
      to: [actorOf(app, local)],
      object: {
        ...{ id: `${peer.origin}/surveys/${id}`, type: 'Note', attributedTo: as.iri, to: [actorOf(app, local)] },
        ...{ content: '<p>Please answer</p>', survey: definition(survey) },
        ...change,
      },
    });
    const known = (id: string) =>
      remoteSurveysIn(app.house.store).findOne({ _id: remoteSurveyKey(`${peer.origin}/surveys/${id}`) });

    it('keeps one that names ours, and an answer to it is read by its owner alone', async () => {
      expect(await post(surveyNote('kept'))).to.equal(202);
      const kept = await known('kept');
      expect(kept).to.deep.include({ owner: hoster.iri, asked: [actorOf(app, local)], host: peer.host, link: null });
      const answerer = answererFor(app.ctx(), local);
      const input = { surveyId: kept?._id ?? '', answerer, by: 'p', byName: 'Camille', version: 1, raw: fair };
      await sendAnswer(app.ctx(), input);
      await app.run();
      const create = peer.ofType('Create').find(({ json }) => objectOf(json).type === 'SurveyAnswer');
      expect(create?.path).to.equal('/users/hoster/inbox');
      expect(create?.json.to).to.deep.equal([hoster.iri]);
      const id = String(objectOf(create?.json).id);
      for (const url of [id, String(create?.json.id)]) {
        expect((await peer.get(url)).status).to.equal(404);
        expect((await peer.getSigned(stranger, url)).status).to.equal(404);
        expect((await peer.getSigned(hoster, url)).status).to.equal(200);
      }
      const receipt = { id: peer.nextId(), type: 'Accept', object: objectOf(create?.json) };
      await post({ ...receipt, actor: stranger.iri }, stranger);
      const state = async () => (await sentAnswersIn(app.house.store).findOne({ surveyKey: kept?._id ?? '' }))?.state;
      expect(await state()).to.equal('sent');
      await post({ ...receipt, id: peer.nextId(), actor: hoster.iri });
      expect(await state()).to.equal('accepted');
      const reject = { ...receipt, id: peer.nextId(), type: 'Reject', actor: hoster.iri, summary: 'No' };
      await post(reject);
      expect(await state()).to.equal('accepted');
    });

    it('keeps the owner’s words for a refusal that we have no words for', async () => {
      await post(surveyNote('words'));
      const kept = await known('words');
      const answerer = answererFor(app.ctx(), local);
      const input = { surveyId: kept?._id ?? '', answerer, by: 'p', byName: 'Camille', version: 1, raw: fair };
      await sendAnswer(app.ctx(), input);
      await app.run();
      const sentOut = peer.ofType('Create').find(({ json }) => objectOf(json).type === 'SurveyAnswer');
      const object = objectOf(sentOut?.json);
      const errors = [{ field: 'a.x', message: { key: 'surveys.error.unheardOf' } }];
      const refusal = { code: 'invalid', errors };
      const reject = { id: peer.nextId(), type: 'Reject', actor: hoster.iri, object, refusal, summary: 'Too\nearly' };
      expect(await post(reject)).to.equal(202);
      const sent = await sentAnswersIn(app.house.store).findOne({ surveyKey: kept?._id ?? '' });
      expect(sent).to.deep.include({ state: 'refused', refusal: { errors: [], text: 'Too early' } });
    });

    it('changes only by its owner, and only to what is newer', async () => {
      await post(surveyNote('mine'));
      const forged = surveyNote('mine', {}, { revision: 9, title: { en: 'Forged' } }, stranger);
      expect(await nothingStored(app, () => post({ ...forged, type: 'Update' }, stranger))).to.equal(403);
      const gone = { id: peer.nextId(), type: 'Delete', actor: stranger.iri, object: `${peer.origin}/surveys/mine` };
      expect(await nothingStored(app, () => post(gone, stranger))).to.equal(403);
      await post({ ...surveyNote('mine', {}, { revision: 1, title: { en: 'Older' } }), type: 'Update' });
      expect((await known('mine'))?.title).to.deep.equal({ en: 'A question' });
      await post({ ...surveyNote('mine', {}, { revision: 3, title: { en: 'Newer' } }), type: 'Update' });
      expect((await known('mine'))?.title).to.deep.equal({ en: 'Newer' });
    });

    it('is not kept when it names none of ours, is no collective’s, or cannot be read', async () => {
      const person = peer.addActor('person');
      const questions = (sections: unknown) => JSON.stringify(sections);
      const [section] = reviewSections;
      const choices = Array.from({ length: 10_000 }, (_, n) => ({ id: `c${n}`, label: { en: 'x' } }));
      const cases: [string, Json, PeerActor?][] = [
        ['nobody', { to: ['https://other.example/actors/local'] }],
        ['everybody', { to: ['https://www.w3.org/ns/activitystreams#Public'] }],
        ['survey', { survey: 'yes' }],
        ['questions', { survey: definition({ questions: '[' }) }],
        ['twice', { survey: definition({ questions: questions([section, section]) }) }],
        ['kind', { survey: definition({ answerBy: 'person' }) }],
        ['zone', { survey: definition({ timeZone: 'Mars/Base' }) }],
        [
          'choices',
          {
            survey: definition({
              questions: questions([
                {
                  ...section,
                  questions: [{ id: 'q', kind: 'single', label: { en: 'Q' }, choices: choices.slice(0, 150) }],
                },
              ]),
            }),
          },
        ],
      ];
      for (const [id, change] of cases) {
        // To us it may be a message like any other.
        const asMessage = ['mentions', 'received', 'remotePosts'];
        expect(await nothingStored(app, () => post(surveyNote(id, change)), asMessage), id).to.equal(202);
      }
      const byPerson = surveyNote('person', {}, {}, person);
      expect(await nothingStored(app, () => post(byPerson, person), ['remoteActors'])).to.equal(403);
    });

    it('shows texts of theirs as texts, and no link but to their own server', async () => {
      const link = 'https://elsewhere.example/phish';
      await post(surveyNote('links', { url: link }, { names: 'anonymous', link, title: { en: '<script>x</script>' } }));
      expect(await known('links')).to.deep.include({ url: null, link: null, title: { en: '<script>x</script>' } });
    });

    it('is limited by server, in number and in an hour', async () => {
      const { surveyLimit } = app.federation;
      app.federation.surveyLimit = { take: () => false } as unknown as typeof surveyLimit;
      expect(await nothingStored(app, () => post(surveyNote('flood')))).to.equal(429);
      app.federation.surveyLimit = surveyLimit;
      const surveys = remoteSurveysIn(app.house.store);
      const kept = await surveys.findOne({ host: peer.host });
      if (!kept) throw new Error('nothing is kept');
      const more = Array.from({ length: 200 }, (_, n) => ({
        ...kept,
        _id: `flood-${n}`,
        iri: `${kept.iri}-${n}`,
        events: [],
      }));
      await surveys.insertMany(more);
      expect(await nothingStored(app, () => post(surveyNote('flood')))).to.equal(429);
      await surveys.deleteMany({ _id: { $in: more.map(({ _id }) => _id) } });
    });

    it('asks nobody who blocks it', async () => {
      await block(app.ctx(), { kind: 'collective', id: local._id }, { kind: 'actor', actor: stranger.iri }, '');
      await app.run();
      expect(await nothingStored(app, () => post(surveyNote('blocked', {}, {}, stranger), stranger))).to.equal(202);
    });

    it('is gone with its server when the administrators no longer deal with it', async () => {
      const host = { host: peer.host };
      expect(await remoteSurveysIn(app.house.store).countDocuments(host)).to.be.greaterThan(0);
      await setRule(app.ctx(), '127.0.0.2', { kind: 'block', publicReason: '', privateReason: '' });
      await app.run();
      expect(await remoteSurveysIn(app.house.store).countDocuments(host)).to.equal(0);
      expect(await sentAnswersIn(app.house.store).countDocuments(host)).to.equal(0);
      expect(await post(surveyNote('after'))).to.equal(403);
    });
  });
});
