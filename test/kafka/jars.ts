import { mavenJars } from '../support/maven-jars.ts';

/**
 * Kafka's jars and what they need, from Maven Central the first time.
 *
 * @returns the class path
 * @throws Error in one line if there is no Java or no Maven
 */
export function kafkaClassPath(): Promise<string> {
  return mavenJars('kafka', 'test/kafka/pom.xml');
}
