import {spawnSync} from 'node:child_process';
import {mkdtempSync, readFileSync, readdirSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';

/** The folder of package.json. */
const web = fileURLToPath(new URL('..', import.meta.url));
/** Where the declarations lie that are served. */
export const served = join(web, 'static/client/types');

/**
 * The TypeScript declarations of the library, as its JSDoc has them now. Fails with
 * what TypeScript says where the library is not as its JSDoc has it.
 *
 * @returns {Map<string, string>} by file name
 */
export function declarations() {
  const folder = mkdtempSync(join(tmpdir(), 'weir-types-'));
  try {
    const tsc = join(web, 'node_modules/typescript/bin/tsc');
    const {status, stdout, error} = spawnSync(process.execPath, [tsc, '--project', 'tsconfig.types.json', '--outDir', folder], {cwd: web, encoding: 'utf8'});
    if (status !== 0) throw error ?? new Error(`tsc:\n${stdout}`);
    return filesOf(folder);
  } finally {
    rmSync(folder, {recursive: true});
  }
}

/**
 * @param {string} folder
 * @returns {Map<string, string>} texts by file name
 */
export function filesOf(folder) {
  return new Map(readdirSync(folder).sort().map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}
