/** What is asked to be a graph. */
export interface Subject {
  /** Namespace, name and generateName as the request for it has them. */
  namespace?: string;
  name?: string;
  generateName?: string;
  uid?: string;
  /** Its `spec`, in the form of v1beta2, or anything else. */
  spec: unknown;
}
