import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from './cache.js';
import { runCommand } from './command.js';
import { requireProgram } from './programs.js';

const version = '4.3.1';

interface Artifact {
  group: string;
  id: string;
  version: string;
  /** Without what it depends on in turn. */
  alone?: boolean;
}

const artifacts: Artifact[] = [
  { group: 'org.apache.kafka', id: 'kafka_2.13', version },
  // Only for the command-line tools, whose classes are enough.
  { group: 'org.apache.kafka', id: 'kafka-tools', version, alone: true },
  { group: 'org.slf4j', id: 'slf4j-simple', version: '1.7.36' },
];

/** The class path of Apache Kafka, fetched by Maven at the first call on a machine: 44 MB. */
export async function kafkaClassPath(): Promise<string> {
  const home = await cached(`kafka-${version}`, fetchKafka);
  return join(home, 'libs', '*');
}

async function fetchKafka(folder: string): Promise<void> {
  const maven = await requireProgram('mvn', 'maven');
  await writeFile(join(folder, 'pom.xml'), projectFile(artifacts));
  const options = ['-DincludeScope=runtime', `-DoutputDirectory=${join(folder, 'libs')}`];
  await runCommand(maven, ['-q', '-B', 'dependency:copy-dependencies', ...options], {
    cwd: folder,
  });
}

function projectFile(dependencies: Artifact[]): string {
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>glacis</groupId><artifactId>testbed</artifactId><version>1</version>
  <dependencies>
${dependencies.map(dependency).join('\n')}
  </dependencies>
</project>
`;
}

function dependency({ group, id, version, alone }: Artifact): string {
  const everything = '<exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion>';
  const exclusions = alone ? `<exclusions>${everything}</exclusions>` : '';
  return `    <dependency><groupId>${group}</groupId><artifactId>${id}</artifactId><version>${version}</version>${exclusions}</dependency>`;
}
