// Whose turn it is on the way out: what one of those who ask can take, and what is left for the others.
import { expect } from 'chai';
import { OwnLimitError } from '../../federation/fetchErrors.js';
import { Places } from '../../federation/places.js';

describe('a place on the way out', () => {
  const soon = (): AbortSignal => AbortSignal.timeout(50);
  const entered = (wanted: Promise<() => void>): Promise<boolean> =>
    wanted.then(
      () => true,
      (error: unknown) => {
        expect(error).to.be.instanceOf(OwnLimitError);
        return false;
      },
    );

  it('is kept with each host for what strangers did not ask for', async () => {
    const places = new Places();
    const leave = await places.enter('one.example', 'strange', soon(), 'a');
    expect(await entered(places.enter('one.example', 'strange', soon(), 'b')), 'a second stranger').to.equal(false);
    expect(await entered(places.enter('one.example', 'post', soon(), '')), 'a delivery').to.equal(true);
    expect(await entered(places.enter('one.example', 'ours', soon(), '')), 'a third exchange').to.equal(false);
    leave();
    expect(await entered(places.enter('one.example', 'ours', soon(), ''))).to.equal(true);
  });

  it('goes to whoever waited as soon as it is free, and to nobody who gave up', async () => {
    const places = new Places();
    const leaves = await Promise.all(['', ''].map(() => places.enter('one.example', 'post', soon(), '')));
    expect(await entered(places.enter('one.example', 'post', soon(), ''))).to.equal(false);
    const next = entered(places.enter('one.example', 'post', AbortSignal.timeout(5000), ''));
    leaves[0]?.();
    expect(await next).to.equal(true);
    expect(await entered(places.enter('one.example', 'post', soon(), ''))).to.equal(false);
  });
});
