// Writes the library's TypeScript declarations: npm run types --prefix web
import {mkdirSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {declarations, served} from './types.js';

const files = declarations();
rmSync(served, {recursive: true, force: true});
mkdirSync(served);
for (const [name, text] of files) writeFileSync(join(served, name), text);
