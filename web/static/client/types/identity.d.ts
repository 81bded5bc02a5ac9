/** @returns {{client_id: string, machine: object}} for a `hello` */
export function identity(): {
    client_id: string;
    machine: object;
};
