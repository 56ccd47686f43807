import { expect } from 'chai';
import { stopAddress, withLink } from '../../../server/notices/links.js';
import { isOptional } from '../../../server/notices/rules.js';
import { samplesOf, withoutLinks, writeSample } from '../../../server/notices/samples.js';
import { letterKinds, linkMark, stopMark } from '../../../server/notices/schema.js';
import { buildTestHouse, type TestHouse } from '../../support/appSupport.js';

describe('letters, each as it can read', () => {
  let house: TestHouse;

  before(async () => {
    house = await buildTestHouse();
  });

  for (const language of ['fr', 'en'] as const) {
    it(`are whole in both parts, with their links and nothing of the catalogue left, ${language}`, async () => {
      for (const kind of letterKinds) {
        for (const sample of samplesOf(kind)) {
          const what = JSON.stringify(sample);
          const { subject, text, html } = await writeSample(house, language, sample);
          expect(subject.length, `${what} ${subject}`).to.be.within(10, 78);
          expect(subject, what).not.to.match(/%%|https?:|Revue annuelle|Yearly review|Camille/);
          for (const part of [subject, text, html]) {
            expect(part, what).not.to.match(/undefined|\{|\}|mail\.[a-z]|notices\.[a-z]|\S {2}\S|\[object/);
          }
          // The mark of a signature ends in a space (RFC 3676 §4.3); nothing else does.
          expect(text.replace('\n-- \n', '\n'), what).not.to.match(/[ \t]\n|\n{3}/);
          const links = kind === 'emailChanged' ? 0 : 1;
          expect(text.split(linkMark), what).to.have.length(links + 1);
          expect(html.split(linkMark), what).to.have.length(2 * links + 1);
          for (const part of [text, html]) {
            expect(part.split(stopMark), what).to.have.length(isOptional(kind) ? 2 : 1);
          }
          const link = links === 0 ? null : { path: '/here' };
          const sent = withLink(house, { text, html, link, kind, personId: 'p' });
          const addresses = [...`${sent.text} ${sent.html}`.matchAll(/https?:\/\/[^\s"<)]+/g)].map(([found]) => found);
          const strange = addresses.filter((found) => !found.startsWith(house.site.baseUrl));
          expect(new Set(strange), what).to.deep.equal(
            new Set(kind === 'sourceFailed' ? ['https://ecluse.example/chatonsinfos.properties'] : []),
          );
          expect(stopAddress(house, { kind, personId: 'p' }) !== null, what).to.equal(isOptional(kind));
          const shown = withoutLinks({ subject, text, html }, 'hidden');
          expect(`${shown.text}${shown.html}`, what).not.to.contain('%%');
        }
      }
    });
  }
});
