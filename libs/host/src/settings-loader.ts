import {
  loadSettings,
  SettingsError,
  type BadSetting,
  type LoadOptions,
  type SettingsDefinition,
  type Shape,
  type Values,
} from '@glacis/settings';

/** Loads several groups of settings, and tells all that is wrong with any of them at once. */
export class SettingsLoader {
  private readonly bad: BadSetting[] = [];

  /**
   * The values; without meaning when `check` then throws.
   * @param overrides what stands in where neither environment nor file says anything
   */
  load<S extends Shape>(
    definition: SettingsDefinition<S>,
    overrides: LoadOptions['overrides'] | '' = {},
  ): Values<S> {
    try {
      return loadSettings(definition, { overrides: overrides || {} });
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error;
      this.bad.push(...error.bad);
      return {} as Values<S>;
    }
  }

  /** @throws {SettingsError} naming every bad value of all groups */
  check(): void {
    if (this.bad.length > 0) throw new SettingsError(this.bad);
  }
}
