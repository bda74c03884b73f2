export const generate = (id, partition, spec) => spec;
