// Three instances as three processes that know each other by HTTP alone: what a member of one does is seen by the members of
// the others, on their own pages. Each row of the story is a deed at one place and what becomes of it at the two others.
import { expect } from 'chai';
import { eventually, Place, planSites } from '../support/place.js';
import { withDatabase } from '../support/storeSupport.js';
import { Visitor } from '../support/visitor.js';

const mongodbUri = process.env.TEST_MONGODB_URI;

if (process.env.CHATIERE_TEST_ENGINE !== 'mongodb') tellStory('the embedded engine', () => ({}));
if (mongodbUri)
  tellStory('MongoDB', (key) => ({ MONGODB_URI: withDatabase(mongodbUri, `three_${key}_${Date.now()}`) }));
else it('three instances on MongoDB were not run: TEST_MONGODB_URI is not set');

function tellStory(engine: string, engineEnv: (key: string) => Record<string, string>): void {
  describe(`three instances on ${engine}`, function () {
    this.timeout(60_000);
    const places: Place[] = [];
    let canal: Place;
    let marais: Place;
    let serre: Place;

    before(async () => {
      const sites = await planSites(['canal', 'marais', 'serre']);
      const allowed = sites.map(({ address, port }) => `${address}:${port}`);
      // One after the other: each has the machine for itself while it starts.
      for (const site of sites) places.push(await Place.open(site, allowed, engineEnv(site.key)));
      [canal, marais, serre] = places as [Place, Place, Place];
    });

    after(() => Promise.all(places.map((place) => place.server.stop('SIGKILL'))));

    const following = (place: Place) => place.member.visit(`${place.desk}/partners/following`);
    const followers = (place: Place) => place.member.visit(`${place.desk}/followers`);

    it('follow each other', async () => {
      for (const place of places) for (const other of places) if (other !== place) await place.follow(other);
      for (const place of places) {
        const page = await eventually(`${place.site.key} is accepted`, async () => {
          const { forms, text } = await following(place);
          return forms.filter(({ action }) => action.endsWith('/mute')).length === 2 ? text : undefined;
        });
        // Who follows it was asked by the others, each at its own pace.
        for (const other of places.filter((one) => one !== place)) {
          expect(page).to.include(other.handle);
          await eventually(`${place.site.key} is followed by ${other.site.key}`, async () =>
            (await followers(place)).text.includes(other.handle) ? true : undefined,
          );
        }
      }
    });

    it('read at both others what one says', async () => {
      await canal.say('Qui prête 200 Go la nuit ?');
      for (const place of [marais, serre]) expect((await place.reads('200 Go')).text).to.include(canal.handle);
      expect((await canal.feed()).text).not.to.include('200 Go');
    });

    it('carry an answer back to the one answered and on to the third, each in the thread', async () => {
      await marais.open('200 Go');
      await marais.member.submit('/reply', { text: 'Nous, dès jeudi.' });
      const page = await serre.open('dès jeudi');
      expect(page.text, 'what it answers stands above it').to.include('200 Go');
      await canal.reads('dès jeudi');
      await canal.open('dès jeudi');
      await canal.member.submit('/reply', { text: 'Merci, à jeudi.' });
      await marais.reads('à jeudi');
      expect((await serre.open('à jeudi')).text)
        .to.include('dès jeudi')
        .and.include('200 Go');
    });

    it('like and take it back', async () => {
      await serre.open('200 Go');
      await serre.member.submit('/like');
      serre.member.form('/unlike');
      await serre.member.submit('/unlike');
      serre.member.form('/like');
    });

    it('see a correction', async () => {
      const page = await canal.say('La réunion est lundi.');
      await Promise.all([marais, serre].map((place) => place.reads('est lundi')));
      await edit(canal, page, 'La réunion est mardi.');
      for (const place of [marais, serre]) {
        await place.reads('est mardi');
        expect((await place.feed()).text).not.to.include('est lundi');
      }
    });

    it('lose a post when it is deleted, at the others and at its own address', async () => {
      const page = await canal.say('Ceci ne durera pas.');
      for (const place of [marais, serre]) await place.reads('ne durera pas');
      await canal.member.visit(`${canal.desk}/posts/${idIn(page)}/delete`);
      await canal.member.submit('/delete');
      for (const place of [marais, serre]) await place.reads('ne durera pas', true);
      expect((await new Visitor(canal.server.baseUrl).visit(page)).status).to.be.oneOf([404, 410]);
    });

    it('no longer read whom they unfollow, who sees it; others still do', async () => {
      await following(marais);
      const unfollow = await formAbout(marais, canal.handle, '/unfollow');
      await marais.member.submit(unfollow);
      await eventually('canal has one follower less', async () =>
        (await followers(canal)).text.includes(marais.handle) ? undefined : true,
      );
      await canal.say('Une annonce pour qui me suit.');
      await serre.reads('pour qui me suit');
      expect((await marais.feed()).text).not.to.include('pour qui me suit');
    });

    it('read by a boost what they do not follow, until it is taken back', async () => {
      await serre.open('pour qui me suit');
      await serre.member.submit('/boost');
      const page = await marais.reads('pour qui me suit');
      expect(page.text).to.include('Hébergeur serre');
      await serre.open('pour qui me suit');
      await serre.member.submit('/unboost');
      await marais.reads('pour qui me suit', true);
    });

    it('no longer follow whom has moved, once both homes say so', async () => {
      await serre.member.visit(`${serre.desk}/partners/moves`);
      await serre.member.submit('/moves/aliases', { address: marais.handle });
      await marais.member.visit(`${marais.desk}/partners/moves`);
      await marais.member.submit('/moves/confirm', { target: serre.handle });
      // A name mistyped: the question comes again.
      await marais.member.submit('/moves/go', { handle: 'mairas' });
      await marais.member.submit('/moves/go', { handle: marais.site.key });
      const page = await eventually('canal follows the new home alone', async () => {
        const { text } = await following(canal);
        return text.includes(marais.handle) ? undefined : text;
      });
      expect(page).to.include(serre.handle);
      const actor = await fetch(`${marais.server.baseUrl}/actors/${marais.site.key}`, {
        headers: { accept: 'application/activity+json' },
      });
      expect(((await actor.json()) as { movedTo?: string }).movedTo).to.equal(actorOf(serre));
    });

    it('are done with a domain that one of them blocks: nothing comes in, nothing goes out', async () => {
      const { member } = canal;
      await member.visit(`/admin/peers/${serre.host}`);
      await member.submit('/admin/peers/rules', {}, { holding: { domain: serre.site.address } });
      await eventually('serre does not follow canal any more', async () =>
        (await followers(canal)).text.includes(serre.handle) ? undefined : true,
      );
      expect((await following(canal)).text).not.to.include(serre.handle);
      await serre.say('Vous m’entendez ?');
      await marais.reads('m’entendez');
      await canal.say('Rien pour la serre.');
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect((await canal.feed()).text).not.to.include('m’entendez');
      expect((await serre.feed()).text).not.to.include('Rien pour la serre');
    });

    it('end between a hoster and one that it blocks', async () => {
      const { member } = marais;
      await member.visit(`${marais.desk}/partners/block?actor=${encodeURIComponent(actorOf(serre))}`);
      await member.submit('/partners/block', { kind: 'actor' });
      await eventually('serre does not follow marais any more, and is told so', async () => {
        const [followed = '', ended] = (await following(serre)).text.split(/Refusés ou terminés|Refused or ended/);
        return !followed.includes(marais.handle) && ended?.includes(marais.handle) ? true : undefined;
      });
      expect((await following(marais)).text).not.to.include(serre.handle);
      await serre.say('Encore un mot.');
      await new Promise((resolve) => setTimeout(resolve, 1500));
      expect((await marais.feed()).text).not.to.include('Encore un mot');
    });

    function actorOf(place: Place): string {
      return `${place.server.baseUrl}/actors/${place.site.key}`;
    }

    async function edit(place: Place, page: string, text: string): Promise<void> {
      await place.member.visit(`${place.desk}/posts/${idIn(page)}/edit`);
      await place.member.submit('/edit', { 'text.fr': text }, { button: 'publish' });
    }

    /** The path of the form in the row about somebody. */
    async function formAbout(place: Place, handle: string, verb: string): Promise<string> {
      const row = place.member.current.html.split('<li class="thing"').find((one) => one.includes(handle));
      const [, action] = new RegExp(`action="([^"]*${verb})"`).exec(row ?? '') ?? [];
      if (action === undefined) throw new Error(`no ${verb} beside ${handle}`);
      return action;
    }

    function idIn(page: string): string {
      return new URL(page).pathname.split('/').at(-1) ?? '';
    }
  });
}
