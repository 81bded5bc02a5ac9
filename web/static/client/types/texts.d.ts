/**
 * The texts without what is not to be seen and servers refuse: control characters, and
 * those that force a direction of writing.
 *
 * @param {Partial<Texts>} texts
 * @returns {Texts}
 */
export function plainTexts({ title, description }: Partial<Texts>): Texts;
/**
 * Says in words what is wrong with a text.
 *
 * @param {keyof Texts} kind
 * @param {string} text
 * @returns {string} empty when it is good
 */
export function textProblem(kind: keyof Texts, text: string): string;
/**
 * @param {Partial<Texts>} given
 * @returns {Texts} plain
 * @throws {TypeError} when one is too long
 */
export function checkedTexts(given: Partial<Texts>): Texts;
/**
 * Puts the texts into the address at which a broadcast begins.
 *
 * @param {URL} url
 * @param {Texts} texts
 * @returns {Texts} those that have found room
 */
export function sayIn(url: URL, { title, description }: Texts): Texts;
/**
 * What a publisher says of its broadcast to people: title and description, plain text in
 * any script.
 *
 * @typedef {object} Texts
 * @property {string} title       one line
 * @property {string} description may have line breaks
 */
export const KINDS: readonly ["title", "description"];
export namespace MOST {
    let title: number;
    let description: number;
}
export function room(kind: keyof Texts, text: string): number;
/**
 * What a publisher says of its broadcast to people: title and description, plain text in
 * any script.
 */
export type Texts = {
    /**
     * one line
     */
    title: string;
    /**
     * may have line breaks
     */
    description: string;
};
