// Stands in for a network library that activitypub-express would load. Nothing may leave or be verified through it:
// federation/fetch.ts is the only way out and federation/verify.ts the only judge of signatures.
'use strict';
const { name } = require('./package.json');
function refuse() {
  throw new Error(
    `"${name}" is replaced by a stand-in and must never be called: use federation/fetch.ts or federation/verify.ts`,
  );
}
module.exports = new Proxy(refuse, {
  get: (target, key) =>
    typeof key === 'symbol' || key === 'prototype' || key === 'name' || key === '__esModule'
      ? Reflect.get(target, key)
      : refuse,
  construct: refuse,
});
