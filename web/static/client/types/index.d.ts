export { Publisher } from "./publisher.js";
export { Viewer } from "./viewer.js";
export { Problem } from "./problem.js";
export { nameProblem } from "./name.js";
export { textProblem } from "./texts.js";
