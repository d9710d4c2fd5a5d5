import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.table.api.TableResult;

/**
 * Runs a script of Flink SQL in this process, a statement after the other, and waits for its job. Statements end with a semicolon and
 * an empty line. SET is a statement of Flink's SQL client, and is done here instead.
 */
class RunSql {
  private static final Pattern SET = Pattern.compile("SET '([^']*)' = '([^']*)'");

  public static void main(String[] args) throws Exception {
    Configuration settings = new Configuration();
    settings.setString("parallelism.default", "2");
    // A fault ends the job, which otherwise is tried again without end.
    settings.setString("restart-strategy.type", "disable");
    EnvironmentSettings mode = EnvironmentSettings.newInstance().inStreamingMode().withConfiguration(settings).build();
    TableEnvironment tables = TableEnvironment.create(mode);
    for (String text : Files.readString(Path.of(args[0])).strip().split(";\n\n")) {
      String statement = text.startsWith("EXECUTE") ? text : text.replaceFirst(";$", "");
      Matcher option = SET.matcher(statement);
      if (option.matches()) {
        tables.getConfig().set(option.group(1), option.group(2));
      } else {
        TableResult result = tables.executeSql(statement);
        if (result.getJobClient().isPresent()) result.await();
      }
    }
    // Its peak of memory, as Linux knows it.
    Path status = Path.of("/proc/self/status");
    if (Files.exists(status)) System.out.println(Files.readString(status));
    // Threads of the cluster in this process would keep it alive.
    System.exit(0);
  }
}
