using Meanwhile.Mqtt.Tests.Support;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Tests.Wire;

/// <summary>The codec against changed packets: MEANWHILE_FUZZ_SECONDS says for how long, MEANWHILE_FUZZ_CORPUS where to write down what was found.</summary>
public class FuzzTests
{
    private const int StandardSteps = 100_000;

    private static string CorpusFile => Path.Combine(AppContext.BaseDirectory, "Wire", "corpus.txt");

    [Fact]
    public void The_corpus_still_holds()
    {
        var fuzzer = new Fuzzer(Seeds.Random(), Corpus());
        Assert.All(Corpus(), input => fuzzer.Check(input));
    }

    [Fact]
    public void Whatever_bytes_come_are_packets_or_refused_however_they_are_split()
    {
        var fuzzer = new Fuzzer(Seeds.Random(), Corpus());
        var (seconds, started, steps) = (Seeds.NumberOf("MEANWHILE_FUZZ_SECONDS"), TimeProvider.System.GetTimestamp(), 0);
        while (seconds is { } limit ? TimeProvider.System.GetElapsedTime(started).TotalSeconds < limit : steps < StandardSteps)
        {
            fuzzer.Step();
            steps++;
        }
        TestContext.Current.TestOutputHelper!.WriteLine($"{steps} steps, {fuzzer.Found.Count} inputs with something new");
        if (Environment.GetEnvironmentVariable("MEANWHILE_FUZZ_CORPUS") is { Length: > 0 } file)
            File.AppendAllLines(file, fuzzer.Found.Select(input => $"{input.Version} {Convert.ToHexString(input.Bytes)}"));
    }

    private static IEnumerable<FuzzInput> Corpus() =>
    [
        .. PacketTable.Valid.Concat(PacketTable.Malformed).Where(row => row.Bytes.Length < 1000).Select(row => new FuzzInput(row.Version, row.Bytes)),
        .. File.ReadLines(CorpusFile).Select(line => line.Split(' ')).Select(parts => new FuzzInput(Enum.Parse<ProtocolVersion>(parts[0]), Convert.FromHexString(parts[1]))),
    ];
}
