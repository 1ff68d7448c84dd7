using Meanwhile.Stores;
using Meanwhile.Stores.Sqlite;
using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.EndToEnd;

/// <summary>Readings move from store to store without losing a bit, and never count twice.</summary>
public sealed class ImportExportTests : ProgramTest
{
    private readonly long _now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();

    [Theory]
    [InlineData("readings.jsonl")]
    [InlineData("readings.csv")]
    public async Task Every_reading_comes_back_as_it_was_and_once(string file)
    {
        var random = new Random(5);
        string[] topics = ["a", "plant/\u00fc,\"x\"\r\nnext line", "'{}'"];
        List<Reading> readings =
        [
            .. new[] { 0.1 + 0.2, double.MaxValue, -double.Epsilon, 1e16, 9007199254740993, 46, -0.5, 1 / 3.0, double.NegativeZero }.Select(v => new Reading("a", _now, v)),
            .. Enumerable.Range(0, 9000).Select(_ => new Reading(topics[random.Next(3)], _now - random.Next(2_000_000), BitConverter.Int64BitsToDouble(random.NextInt64())))
                .Where(r => double.IsFinite(r.Value)),
            new("a", _now, 46), new("a", _now, 46), // Three of a kind are three.
        ];
        Commit("from.db", readings);
        Assert.Contains($"{readings.Count} readings exported", (await RunAsync("export", "--db", "from.db", file)).Error, StringComparison.Ordinal);
        Assert.Contains($"imported {readings.Count}; already there 0;", (await RunAsync("import", "--db", "to.db", file)).Error, StringComparison.Ordinal);
        Assert.Equal(ReadAll("from.db"), ReadAll("to.db"));
        Assert.Single(ReadAll("to.db"), r => r.Value == 0 && double.IsNegative(r.Value));

        Assert.Contains($"imported 0; already there {readings.Count};", (await RunAsync("import", "--db", "to.db", file)).Error, StringComparison.Ordinal);
        Commit("part.db", [.. readings.Skip(4000)]);
        Assert.Contains($"imported 4000; already there {readings.Count - 4000};", (await RunAsync("import", "--db", "part.db", file)).Error, StringComparison.Ordinal);
        Assert.Equal(ReadAll("from.db").Order(ByAll), ReadAll("part.db").Order(ByAll));
        Assert.False(File.Exists(Folder[file + ".part"]));
    }

    [Fact]
    public async Task Standard_output_and_input_take_the_place_of_files_and_lines_are_as_documented()
    {
        Commit("from.db", [new("a", 1_700_000_000_120, 46), new("a", 1_700_000_001_000, 0.1)]);
        var export = await RunAsync("export", "--db", "from.db");
        Assert.Equal(
            "{\"topic\": \"a\", \"number\": 46, \"epochtime\": 1700000000.12}\n{\"topic\": \"a\", \"number\": 0.1, \"epochtime\": 1700000001}\n", export.Output);
        Assert.Equal("topic,number,epochtime\na,46,1700000000.12\na,0.1,1700000001\n", (await RunAsync("export", "--db", "from.db", "--format", "csv")).Output);

        var import = Meanwhile(["import", "--db", "to.db", "--windows", "7d"]);
        await import.Input.WriteAsync($"{{\"epochtime\": \"{_now}\", \"number\": \"3\", \"topic\": \"a\", \"more\": {new string('[', 70)}{new string(']', 70)}}}\n\n");
        import.Input.Close();
        Assert.Equal(0, await import.ExitAsync());
        Assert.Equal([new("a", _now, 3)], ReadAll("to.db"));
    }

    [Fact]
    public async Task What_is_no_reading_is_named_by_its_line_and_the_rest_is_imported()
    {
        await File.WriteAllTextAsync(Folder["odd.csv"],
            $"epochtime,more,topic,number\n{_now},x,a,1\n{_now},x,a,NaN\n{_now},x,\"a\nb\",2\n{_now},x,a/#,3\nsoon,x,a,4\n{_now},x\n{_now + 400_000},x,a,5\n{_now - 2_200_000},x,a,6\n{_now},x,a,7",
            TestContext.Current.CancellationToken);
        var (code, _, error) = await RunAsync("import", "odd.csv");
        Assert.Equal(1, code);
        foreach (var named in new[] { "line 3 is no reading: its number is not finite", "line 6 is no reading: 'a/#' is no topic", "line 7 is no reading: 'soon' is neither", "line 8 is no reading: 2 columns", "line 9 is no reading: its time is too far ahead" })
            Assert.Contains(named, error, StringComparison.Ordinal);
        Assert.Contains("imported 3; already there 0; older than the retention 1; not understood 5", error, StringComparison.Ordinal);
        Assert.Contains("meanwhile: odd.csv: 5 lines are no readings; the others are imported", error, StringComparison.Ordinal);
        Assert.Equal(["a:1", "a\nb:2", "a:7"], ReadAll("tmp/test.db").Select(r => $"{r.Series}:{r.Value}"));
    }

    [Theory]
    [InlineData("a.csv", "topic,value\n", "line 1 names no column 'number'")]
    [InlineData("a.jsonl", "[1]\n{\"number\": 1, \"epochtime\": 1}\n{\n\n\u0000\n21.5\n", "line 6 is no reading: no topic at /topic")]
    [InlineData("a.csv", "topic,number,epochtime\n\"a,1,1\n", "1 columns, expected at least 3")]
    public async Task A_file_of_another_kind_is_refused(string file, string content, string expected)
    {
        await File.WriteAllTextAsync(Folder[file], content, TestContext.Current.CancellationToken);
        var (code, _, error) = await RunAsync("import", file);
        Assert.Equal(1, code);
        Assert.Contains(expected, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_quote_that_is_never_closed_does_not_fill_the_memory()
    {
        await File.WriteAllTextAsync(Folder["a.csv"], "topic,number,epochtime\n\"" + new string('x', 3 << 20), TestContext.Current.CancellationToken);
        Assert.Contains("line 2 is longer than 1048576 bytes, or a quote in it is not closed", (await RunAsync("import", "a.csv")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Beside_an_aggregator_readings_are_exported_and_not_imported()
    {
        using var owner = SqliteStore.Open(Database, new StoreOptions("test", "DATA"));
        owner.Commit(StoreExtensions.Batch(new Reading("a", _now, 1)));
        Assert.Equal(0, (await RunAsync("export", "all.jsonl")).Code);
        var (code, _, error) = await RunAsync("import", "all.jsonl");
        Assert.Equal(1, code);
        Assert.Contains("stop that one for a moment, the broker keeps what comes in meanwhile", error, StringComparison.Ordinal);
        Assert.Contains("nowhere.csv cannot be read", (await RunAsync("import", "nowhere.csv")).Error, StringComparison.Ordinal);
        Assert.Contains("nowhere/x.csv cannot be written", (await RunAsync("export", "nowhere/x.csv")).Error, StringComparison.Ordinal);
    }

    private static Comparer<Reading> ByAll { get; } = Comparer<Reading>.Create((a, b) => (a.Series, a.Time, a.Value).CompareTo((b.Series, b.Time, b.Value)));

    private void Commit(string file, IReadOnlyCollection<Reading> readings)
    {
        using var store = SqliteStore.Open(Folder[file], new StoreOptions("test", "DATA"));
        store.Commit(StoreExtensions.Batch(readings));
    }

    private List<Reading> ReadAll(string file)
    {
        using var store = Store.OpenForReading(Folder[file], "DATA");
        return [.. store.ReadReadings(0, long.MaxValue)];
    }

    private async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        var program = Meanwhile(arguments);
        var code = await program.ExitAsync();
        return (code, program.Output, program.Error);
    }
}
