import { expect, test } from 'vitest';
import { foundSchema } from '../../src/main/hub/schemas.ts';
import { hubModelSchema } from '../../src/shared/contract/hub.ts';

test.each([
  [12, 12],
  [0, 0],
  [1.5, null],
  [-1, null],
  [1e300, null],
  ['12', null],
  [undefined, null],
])(
  'A hub that counts %j downloads and likes is taken to say %j, which the app can pass on',
  (said, taken) => {
    const { id, downloads, likes } = foundSchema.parse({ id: 'a/b', downloads: said, likes: said });
    expect({ downloads, likes }).toEqual({ downloads: taken, likes: taken });
    const model = { id, downloads, likes, changedAt: null, gated: false, tags: [] };
    expect(hubModelSchema.parse(model)).toEqual(model);
  },
);
