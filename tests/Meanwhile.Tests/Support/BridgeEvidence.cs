using System.Text;

namespace Meanwhile.Tests.Support;

/// <summary>Keeps the logs of a test with a bridge when it fails, so that the failure can be explained.</summary>
internal static class BridgeEvidence
{
    private const int Told = 10;

    /// <summary>Writes everything to a file in TestResults, beside the test program. The output of the test names the file, and has mosquitto's lines about what came twice.</summary>
    public static void Keep(IReadOnlyList<int> arrived, int messages, string mosquitto, IEnumerable<string> brokers)
    {
        var log = new BridgeLog(mosquitto);
        var twice = arrived.CountBy(number => number).Where(count => count.Value > 1).Select(count => count.Key).ToList();
        var summary = new StringBuilder()
            .AppendLine(TestContext.Current.Test!.TestDisplayName)
            .AppendLine($"packets PUBLISH with a free identifier at the bridge: {log.NewMessages}; lengths of payloads agree: {log.IsClear}; sent in order: {log.Sent.SequenceEqual(log.Sent.Order())}")
            .AppendLine($"missing: {string.Join(", ", Enumerable.Range(1, messages).Except(arrived))}")
            .AppendLine($"twice: {string.Join(", ", twice)}");
        foreach (var number in twice.Take(Told))
            summary.AppendLine($"{number}:").AppendLine(string.Join('\n', log.About(number)));
        var file = Path.Combine(Directory.CreateDirectory(Path.Combine(AppContext.BaseDirectory, "TestResults")).FullName, $"bridge-{Guid.NewGuid():N}.log");
        File.WriteAllText(file, $"{summary}arrived: {string.Join(", ", arrived)}\n\nour broker, for each start:\n{string.Join("\n\n", brokers)}\n\nmosquitto:\n{mosquitto}");
        TestContext.Current.TestOutputHelper?.WriteLine($"the logs are in {file}\n{summary}");
    }
}
