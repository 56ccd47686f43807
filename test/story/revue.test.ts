// ROSEAU's yearly survey on three instances, each its own process: made on one by its forms, answered on all three by seven
// hosters, corrected, refused, closed and published; the results are the expected ones on each, whoever reads them.
import { expect } from 'chai';
import { type RoseauMemberId, roseauMember } from '../../jobs/roseau.js';
import { reviewAnswers, reviewIntro, reviewSections, reviewTitle } from '../../jobs/roseauReview.js';
import type { Question, Texts } from '../../server/surveys/schema.js';
import { localTime } from '../../server/zonedTime.js';
import { Gate } from '../support/gate.js';
import { Peer } from '../support/peer/peer.js';
import { eventually, type Hoster, Place, planSites } from '../support/place.js';
import { withDatabase } from '../support/storeSupport.js';
import { type Visitor, visibleText } from '../support/visitor.js';

type Fields = Record<string, string | string[]>;
type Raw = Record<string, unknown>;

const standing: Record<string, RoseauMemberId[]> = {
  canal: ['ecluse', 'tuilelierre'],
  marais: ['octetsmarais', 'nuagecausses', 'fournil'],
  serre: ['serrecommune', 'gouttiere'],
};
/** What must come out, as the page of results says it. */
const expected = {
  hours: '6 réponses sur 6 médiane 4 heures moyenne 4,83 heures plus petit 2 heures plus grand 10 heures',
  tasks: 'Modération 2 40 % Comptes rendus 1 20 % Accueil 2 40 % Technique 2 40 % Trésorerie 1 20 % Autre 1 20 %',
  load: 'moyenne 2,83 plus petit 2 plus grand 4',
  legal: 'Oui 2 33 % Non 1 17 % Plus tard 2 33 % Sans avis 1 17 %',
  modes: 'Consentement 8 3 1,4 Jugement majoritaire 4 1 2,2 Majorité 3 1 2,4',
  restore: '30 novembre 2025 – 2 mai 2026',
  room: 'Tous les services 1 0 1',
  slot: '19:00 – 20:30 4 1 1',
  publish: 'Oui 4 67 % Sans notre nom 1 17 % Non 1 17 %',
};
const questions = reviewSections.flatMap((section) => section.questions);

describe('the Revue 2026 of ROSEAU on three instances', function () {
  this.timeout(60_000);
  const places: Place[] = [];
  let canal: Place;
  let marais: Place;
  let serre: Place;
  let gate: Gate;
  let peer: Peer;
  /** Who answers, by handle. */
  const desks = new Map<string, { member: Visitor; desk: string; place: Place }>();
  /** The survey on canal, for its organisers. */
  let base = '';
  /** Ids that the forms gave to questions, choices and slots, by those of roseauReview.ts. */
  const ids = new Map<string, string>();
  /** Where each hoster answers. */
  const asked = new Map<string, string>();

  before(async () => {
    const sites = await planSites(Object.keys(standing));
    const allowed = sites.map(({ address, port }) => `${address}:${port}`);
    peer = await Peer.start(0, '127.0.0.9');
    for (const site of sites) {
      const isGated = site.key === 'marais';
      if (isGated) gate = await Gate.stand(site);
      const env: Record<string, string> = isGated ? { PORT: String(gate.innerPort) } : {};
      const address = process.env.TEST_MONGODB_URI;
      if (process.env.CHATIERE_TEST_ENGINE === 'mongodb' && address) {
        env.MONGODB_URI = withDatabase(address, `revue_${site.key}_${Date.now()}`);
      }
      const hosters = (standing[site.key] ?? []).map(hosterOf);
      places.push(await Place.open(site, [...allowed, peer.host], env, hosters));
    }
    [canal, marais, serre] = places as [Place, Place, Place];
    for (const place of places) {
      for (const [index, handle] of (standing[place.site.key] ?? []).entries()) {
        const own = index === 0 ? { member: place.member, desk: place.desk } : await place.enter(handle);
        desks.set(handle, { ...own, place });
      }
    }
  });

  after(async () => {
    await Promise.all(places.map((place) => place.server.stop('SIGKILL')));
    await gate?.stop();
    await peer?.stop();
  });

  const ask = (path = '') => canal.member.visit(base + path);
  const deskOf = (handle: string) => {
    const found = desks.get(handle);
    if (!found) throw new Error(`nobody is there for ${handle}`);
    return found;
  };
  const idOf = (id: string): string => ids.get(id) ?? id;

  it('is made by its forms: four sections, ten questions, both languages', async () => {
    const { member, desk } = canal;
    await member.visit(`${desk}/surveys/new`);
    await member.submit('/surveys/new', texts('title', reviewTitle));
    base = new URL(member.current.url).pathname.replace(/\/questions$/, '');
    for (const [index, section] of reviewSections.entries()) {
      await ask(index === 0 ? '/sections/s1' : '/sections/new');
      await member.submit(index === 0 ? '/sections/s1' : '/sections/new', texts('title', section.title));
      const sections = [...member.current.html.matchAll(/class="edit-section" id="section-(\w+)"/g)].map(
        ([, id]) => id,
      );
      expect(sections).to.have.length(index + 1);
      for (const question of section.questions) await addQuestion(question, sections[index] ?? '');
    }
    const made = [...(await ask('/questions')).html.matchAll(/class="edit-part" id="question-(\w+)"/g)].map(
      ([, id]) => id,
    );
    expect(made).to.have.length(10);
    expect(member.current.text).not.to.include('Traduction manquante');
    for (const [index, question] of questions.entries()) {
      ids.set(question.id, made[index] ?? '');
      await rememberParts(question, made[index] ?? '');
    }
    expect((await ask('/preview')).text)
      .to.include('Combien d’heures par mois')
      .and.include('Sans notre nom');
  });

  async function addQuestion(question: Question, section: string): Promise<void> {
    const { member } = canal;
    await ask('/questions');
    await member.submit('/questions/new', { kind: question.kind }, { holding: { section } });
    const fields = typed(question);
    // Rows come three at a time.
    for (let more = 0; more < 3; more += 1) {
      const { html } = member.form('/questions/new');
      const there = Object.entries(fields).filter(([name]) => html.includes(`name="${name}"`));
      if (there.length === Object.keys(fields).length) break;
      await member.submit('/questions/new', Object.fromEntries(there), { button: 'more' });
    }
    await member.submit('/questions/new', fields, { button: 'save' });
    expect(new URL(member.current.url).pathname, member.current.text).to.equal(`${base}/questions`);
  }

  async function rememberParts(question: Question, id: string): Promise<void> {
    await ask(`/questions/${id}`);
    const { values } = canal.member.form(`/questions/${id}`);
    const lists = {
      choices: 'choices' in question ? question.choices : [],
      slots: 'slots' in question ? question.slots : [],
    };
    for (const [list, parts] of Object.entries(lists)) {
      for (const [index, part] of parts.entries())
        ids.set(`${question.id}.${part.id}`, values.get(`${list}.${index}.id`) ?? '');
    }
  }

  it('asks seven hosters, two here by a box and five elsewhere by their addresses, and opens', async () => {
    const { member } = canal;
    await ask('/settings');
    const here = ['ecluse', 'tuilelierre'].map((handle) => `${canal.server.baseUrl}/actors/${handle}`);
    const others = [marais, serre].flatMap(
      (place) => standing[place.site.key]?.map((id) => `@${id}@${place.host}`) ?? [],
    );
    const closesAt = localTime(new Date(Date.now() + 5 * 24 * 3_600_000), 'Europe/Paris');
    const said = { ...texts('intro', reviewIntro), invited: here, others: others.join('\n'), closesAt };
    await member.submit('/settings', said);
    await ask();
    await member.submit('/open');
    expect(member.current.text).to.include('0 sur 7');
  });

  it('stands on the desk of each of the seven, on their own instance', async () => {
    for (const [handle, { member, desk, place }] of desks) {
      const href = await eventually(`${handle} is asked`, async () => {
        const { html, text } = await member.visit(`${desk}/asked`);
        const [found] = new RegExp(`${desk}/asked/[0-9a-f-]{36,64}`).exec(html) ?? [];
        return text.includes('Revue 2026') ? found : undefined;
      });
      asked.set(handle, href);
      expect(href, handle).to.match(place === canal ? /[0-9a-f-]{36}$/ : /[0-9a-f]{64}$/);
    }
  });

  /** Fills in the form of a hoster and sends it. */
  async function answer(handle: string, raw: Raw): Promise<void> {
    const { member } = deskOf(handle);
    const path = asked.get(handle) ?? '';
    await member.visit(path);
    await member.submit(path, answerFields(raw, member.form(path).html), { button: 'send' });
  }

  const receipt = (handle: string, words: string) =>
    eventually(`${handle} reads "${words}"`, async () => {
      const page = await deskOf(handle).member.visit(asked.get(handle) ?? '');
      return page.text.includes(words) ? page : undefined;
    });

  it('takes the answers of six, here and elsewhere, each with a receipt', async () => {
    for (const [handle, raw] of Object.entries(reviewAnswers)) {
      const first = handle === 'octetsmarais' ? { ...raw, hours: '30', legal: 'yes' } : raw;
      await answer(handle, first);
      const { text } = deskOf(handle).member.current;
      expect(text, handle).not.to.include('Corrigez');
    }
    for (const handle of Object.keys(reviewAnswers)) {
      await receipt(handle, deskOf(handle).place === canal ? 'Votre structure a répondu' : 'Réponse reçue');
    }
    expect((await ask()).text).to.include('6 sur 7');
  });

  it('takes a correction: the last one counts, and is still one answer', async () => {
    await answer('octetsmarais', reviewAnswers.octetsmarais ?? {});
    await receipt('octetsmarais', 'Réponse reçue');
    await eventually('the correction counts', async () => {
      const { html, text } = await ask('/results');
      return articleOf(html, idOf('hours')).includes('plus grand 10') && text.includes('86 %') ? true : undefined;
    });
    expect((await ask()).text).to.include('6 sur 7');
  });

  it('asks the Fediverse as well: two votes are cast as Mastodon does, and counted apart', async () => {
    const owner = `${canal.server.baseUrl}/actors/ecluse`;
    const [lea, tom] = [peer.addActor('lea'), peer.addActor('tom')];
    await peer.post(lea, `${canal.server.baseUrl}/inbox`, peer.follow(lea, owner));
    await eventually('the follow is accepted', () => (peer.ofType('Accept').length > 0 ? true : undefined));
    await ask('/fediverse');
    await canal.member.submit('/fediverse', { questions: [idOf('legal')], agreed: 'on' });
    const question = await eventually('the poll arrives', () => {
      const found = peer.ofType('Create').find(({ json }) => (json.object as Raw).type === 'Question');
      return found?.json.object as Raw | undefined;
    });
    expect((question.oneOf as Raw[]).map(({ name }) => name)).to.deep.equal([
      'Oui / Yes',
      'Non / No',
      'Plus tard / Later',
      'Sans avis / No opinion',
    ]);
    for (const [voter, name] of [
      [lea, 'Non / No'],
      [tom, 'Plus tard / Later'],
    ] as const) {
      const id = `${voter.iri}#votes/1`;
      const object = { id, type: 'Note', name, attributedTo: voter.iri, inReplyTo: question.id, to: owner };
      const context = 'https://www.w3.org/ns/activitystreams';
      const vote = { '@context': context, id: `${id}/activity`, type: 'Create', actor: voter.iri, to: owner, object };
      expect((await peer.post(voter, `${canal.server.baseUrl}/inbox`, vote)).status).to.equal(202);
    }
    await eventually('two have voted', async () =>
      (await ask('/fediverse')).text.includes('2 personnes ont voté') ? true : undefined,
    );
  });

  it('refuses what comes after the end, and says why on the page of whoever sent it', async () => {
    const { member } = deskOf('nuagecausses');
    const path = asked.get('nuagecausses') ?? '';
    await member.visit(path);
    // The news that it is over is on its way to the marsh, and slow.
    gate.shut();
    await ask();
    await canal.member.submit('/close');
    await member.submit(
      path,
      answerFields({ hours: '1', load: '1', legal: 'no', publish: 'yes' }, member.form(path).html),
      {
        button: 'send',
      },
    );
    expect(member.current.text).to.include(`La réponse est en route vers ${canal.host}`);
    gate.open();
    const page = await receipt('nuagecausses', 'Réponse refusée');
    expect(page.text).to.include('L’enquête est close');
    expect((await member.visit(`${deskOf('nuagecausses').desk}/asked`)).text).to.include('Réponse refusée');
    expect((await ask()).text).to.include('6 sur 7');
  });

  it('is published, and the three instances show the results that are expected', async () => {
    await ask('/results/publish');
    await canal.member.submit(
      '/publish',
      { readers: 'members', 'notes.fr': 'Merci à toutes et à tous.' },
      { button: 'publish' },
    );
    const readers = ['tuilelierre', 'octetsmarais', 'nuagecausses', 'gouttiere'];
    const pages = new Map([['ecluse', (await ask('/results')).html]]);
    for (const handle of readers) {
      const page = await eventually(`${handle} reads the results`, async () => {
        const { html, text } = await deskOf(handle).member.visit(`${asked.get(handle)}/results`);
        return text.includes('Merci à toutes') ? html : undefined;
      });
      pages.set(handle, page);
    }
    for (const [handle, html] of pages) {
      expect(visibleText(html), handle).to.match(/réponses 6 réponses attendues 7 taux de réponse 86 %/);
      for (const [id, figures] of Object.entries(expected))
        expect(articleOf(html, idOf(id)), handle).to.include(figures);
      expect(articleOf(html, idOf('stop')), handle)
        .to.include('=1+1')
        .and.include('Deux listes de diffusion');
      expect(articleOf(html, idOf('tasks')), handle).to.include('Traductions');
      // Neither the corrected answer, nor the refused one, nor a vote is among them.
      expect(articleOf(html, idOf('hours')), handle).not.to.match(/plus grand 30|Part 1 1/);
    }
  });

  function articleOf(html: string, question: string): string {
    const article = html.split('<article').find((one) => one.includes(`id="question-${question}"`)) ?? '';
    return visibleText(`<article${article.split('</article>')[0]}`);
  }

  /** An answer of roseauReview.ts as the fields of the form that stands on the page. */
  function answerFields(raw: Raw, html: string): Fields {
    const fields: Fields = {};
    for (const question of questions) {
      const given = raw[question.id];
      const name = `a.${idOf(question.id)}`;
      const part = (id: string) => idOf(`${question.id}.${id}`);
      if (given === undefined) continue;
      if (question.kind === 'single') fields[`${name}.is`] = part(String(given));
      else if (question.kind === 'multiple') {
        const { is, other = '' } = (Array.isArray(given) ? { is: given } : given) as { is: string[]; other?: string };
        fields[`${name}.is`] = is.map((id) => (id === 'other' ? id : part(id)));
        fields[`${name}.other`] = other;
      } else if (question.kind === 'grid') {
        // Services have ids of their own on each instance: in the order in which they stand.
        const rows = [
          ...new Set(
            [...html.matchAll(new RegExp(`name="(${name.replace('.', '\\.')}\\.[^".]+\\.choice)"`, 'g'))].map(
              ([, one]) => one ?? '',
            ),
          ),
        ];
        const choices = Object.values(given as Record<string, { choice: string }>).map(({ choice }) => part(choice));
        for (const [index, row] of rows.entries()) if (choices[index]) fields[row] = choices[index];
      } else if (typeof given === 'object' && given !== null) {
        for (const [id, is] of Object.entries(given)) fields[`${name}.${part(id)}`] = String(is);
      } else fields[name] = String(given);
    }
    return fields;
  }
});

function hosterOf(id: RoseauMemberId): Hoster {
  const { profile, services } = roseauMember(id);
  return { handle: id, profile, services };
}

function texts(name: string, given: Texts): Record<string, string> {
  return Object.fromEntries(Object.entries(given).map(([language, text]) => [`${name}.${language}`, text]));
}

/** A question as somebody types it into the form of its kind. */
function typed(question: Question): Record<string, string> {
  const fields = { ...texts('label', question.label), ...texts('help', question.help), criterion: question.criterion };
  if (question.required) Object.assign(fields, { required: 'on' });
  if ('other' in question && question.other) Object.assign(fields, { other: 'on' });
  if ('choices' in question) {
    for (const [index, { label }] of question.choices.entries())
      Object.assign(fields, texts(`choices.${index}.label`, label));
  }
  if (question.kind === 'number') {
    const { min, max, decimals, unit } = question;
    Object.assign(fields, { min: String(min), max: String(max), decimals: String(decimals), ...texts('unit', unit) });
  }
  if (question.kind === 'scale') {
    const { from, to, fromLabel, toLabel } = question;
    Object.assign(fields, { from: String(from), to: String(to) });
    Object.assign(fields, texts('fromLabel', fromLabel), texts('toLabel', toLabel));
  }
  if (question.kind === 'grid') Object.assign(fields, { rowsFrom: question.rowsFrom });
  if (question.kind === 'availability') {
    for (const [index, { startsAt, endsAt }] of question.slots.entries()) {
      const [date, start] = localTime(startsAt, 'Europe/Paris').split('T');
      const end = endsAt === null ? '' : localTime(endsAt, 'Europe/Paris').split('T')[1];
      Object.assign(fields, {
        [`slots.${index}.date`]: date,
        [`slots.${index}.start`]: start,
        [`slots.${index}.end`]: end,
      });
    }
  }
  return fields;
}
