/**
 * Adds styles that a page does without until something is asked for.
 *
 * @param {...string} names below css/
 * @returns {Promise<void>} when they apply, so that nothing is seen without them. Also where one cannot
 *   be had: what is asked for works without its looks
 */
export async function addStyles(...names) {
  await Promise.all(names.map((name) => {
    const {href} = new URL(`../css/${name}.css`, import.meta.url);
    if ([...document.styleSheets].some((sheet) => sheet.href === href)) return null;
    const link = document.createElement('link');
    link.rel = 'stylesheet';
    link.href = href;
    return new Promise((resolve) => {
      link.onload = resolve;
      link.onerror = resolve;
      document.head.append(link);
    });
  }));
}
