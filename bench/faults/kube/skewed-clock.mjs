// `node --import`: the wall clock of this process is CLOCK_SKEW_MS off, as that of a machine without time service.
const skew = Number(process.env.CLOCK_SKEW_MS);
const TrueDate = Date;

globalThis.Date = class Date extends TrueDate {
  constructor(...args) {
    if (args.length > 0) super(...args);
    else super(TrueDate.now() + skew);
  }

  static now() {
    return TrueDate.now() + skew;
  }
};
