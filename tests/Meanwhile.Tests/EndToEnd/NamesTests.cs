using System.Globalization;
using System.Text;
using System.Text.Json;
using Meanwhile.Stores;
using Meanwhile.Stores.Sqlite;
using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.EndToEnd;

/// <summary>One rule for the name of a series, on every way in and when it is read back: whatever a file holds, nothing invalid is written, and no two names become one.</summary>
public sealed class NamesTests : ProgramTest
{
    private readonly long _now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();

    public static TheoryData<string, string> BadNames => new()
    {
        { "", "the topic is empty: expected a name of 1 to 65,535 bytes" },
        { "a/#", "'a/#' is no topic of a message: expected a name without the wildcards + and #" },
        { "+", "'+' is no topic of a message" },
        { "a\0b", "the topic contains U+0000" },
        { new string('x', 65_536), "the topic has 65536 bytes: expected a name of 1 to 65,535" },
        { new string('\u00fc', 32_768), "the topic has 65536 bytes" },
        { "a\ud800", "the topic contains half of a surrogate pair" },
        { "\udc00\ud800", "the topic contains half of a surrogate pair" },
    };

    [Theory]
    [MemberData(nameof(BadNames))]
    public async Task A_name_that_is_none_is_refused_by_import_in_json(string name, string expected)
    {
        var escaped = string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) ? c.ToString() : $"\\u{(int)c:x4}"));
        await WriteAsync("bad.jsonl", $"{{\"topic\": \"{escaped}\", \"number\": 1, \"epochtime\": {_now}}}\n{{\"topic\": \"good\", \"number\": 2, \"epochtime\": {_now}}}\n");
        await AssertOnlyGoodAsync("bad.jsonl", "line 1 is no reading: " + expected);
    }

    [Theory]
    [MemberData(nameof(BadNames))]
    public async Task A_name_that_is_none_is_refused_by_import_in_csv(string name, string expected)
    {
        if (name.Any(char.IsSurrogate))
            return; // UTF-8 has none.
        await WriteAsync("bad.csv", $"topic,number,epochtime\n{name},1,{_now}\ngood,2,{_now}\n{name},1,{_now}\n");
        await AssertOnlyGoodAsync("bad.csv", "line 2 is no reading: " + expected, "line 4 is no reading: " + expected);
    }

    [Fact]
    public async Task A_name_that_is_none_stays_in_the_quarantine_when_it_is_replayed()
    {
        using (var store = Open())
        {
            var batch = new Batch();
            foreach (var topic in new[] { "", "a/#", "a\0b", "good", "a\ufffd" })
                batch.Quarantined.Add(new RejectedMessage(_now, topic, "{\"t\": 1}"u8.ToArray(), "because"));
            store.Commit(batch);
        }
        ReadingsFile.Query(Database, "INSERT INTO quarantine (topic, arrived, payload, reason) VALUES (CAST(x'61FF' AS TEXT), 1, x'31', 'because'), (CAST(x'61FE' AS TEXT), 1, x'31', CAST(x'FF' AS TEXT))");
        var list = await RunAsync("quarantine", "list", "--format", "json");
        Assert.Equal(7, Lines(list.Output).Select(line => JsonDocument.Parse(line)).Count());
        Assert.Equal(0, (await RunAsync("quarantine", "show", "7")).Code);

        var (code, output, _) = await RunAsync("quarantine", "replay", "--all", "--value", "/t", "--time", "arrival");
        Assert.Equal(1, code);
        Assert.Contains("1 stays: the topic is empty", output, StringComparison.Ordinal);
        Assert.Contains("2 stays: 'a/#' is no topic", output, StringComparison.Ordinal);
        Assert.Contains("3 stays: the topic contains U+0000", output, StringComparison.Ordinal);
        Assert.Contains("5 stays: the topic contains U+FFFD", output, StringComparison.Ordinal);
        Assert.Contains("6 stays: ", output, StringComparison.Ordinal);
        Assert.Equal([new("good", _now, 1)], ReadAll("tmp/test.db"));
    }

    [Fact]
    public async Task A_payload_with_a_mark_is_a_reading_when_it_is_replayed_and_one_in_another_encoding_stays_with_the_place()
    {
        using (var store = Open())
        {
            var batch = new Batch();
            foreach (var payload in new[] { "EFBBBF32312E35", "7B0A22FC22", "32003100" })
                batch.Quarantined.Add(new RejectedMessage(_now, "a", Convert.FromHexString(payload), "because"));
            store.Commit(batch);
        }
        var (_, output, _) = await RunAsync("quarantine", "replay", "--all");
        Assert.Equal("2 stays: line 2, column 2 (in bytes) is not UTF-8 (byte 0xFC)\n3 stays: this is UTF-16; convert it to UTF-8 (iconv -f UTF-16LE -t UTF-8)\n", output);
        Assert.Equal([new("a", _now, 21.5)], ReadAll("tmp/test.db"));
    }

    [Theory]
    [InlineData("''", "the topic is empty")]
    [InlineData("'plant/#'", "'plant/#' is no topic of a message")]
    [InlineData("CAST(x'61FF' AS TEXT)", "the topic is not UTF-8")]
    [InlineData("CAST(x'61EDA080' AS TEXT)", "the topic is not UTF-8")]
    [InlineData("CAST(x'610062' AS TEXT)", "the topic contains U+0000")]
    [InlineData("CAST(ZEROBLOB(70000) AS TEXT)", "the topic contains U+0000")]
    [InlineData("x'FFFE'", "the topic is not UTF-8")]
    public async Task A_file_that_has_such_a_name_already_is_read_without_it_and_that_is_said(string name, string expected)
    {
        using (var store = Open())
            store.Commit(StoreExtensions.Batch(new("bad", _now, 1), new("bad", _now, 2), new("a\ufffd", _now + 1, 3), new("a", _now + 2, 4)));
        ReadingsFile.Query(Database, $"UPDATE series SET topic = {name} WHERE topic = 'bad'");
        var said = $"tmp/test.db: 2 readings are left out: their series have no usable names (1 such series; the first is number 1: {expected}";

        foreach (var file in new[] { "all.jsonl", "all.csv" })
        {
            Assert.Contains(said, (await RunAsync("export", file)).Error, StringComparison.Ordinal);
            Assert.Contains("imported 2;", (await RunAsync("import", "--db", "again" + file, file)).Error, StringComparison.Ordinal);
            Assert.Equal([new("a\ufffd", _now + 1, 3), new("a", _now + 2, 4)], ReadAll("again" + file));
        }
        var (code, output, error) = await RunAsync("query", "--topic", "#");
        Assert.Equal(0, code);
        Assert.Contains(said, error, StringComparison.Ordinal);
        Assert.Equal(["a", "a\ufffd"], Lines(output).Select(line => JsonDocument.Parse(line).RootElement.GetProperty("topic").GetString()));
    }

    [Fact]
    public async Task The_aggregator_and_its_api_go_on_with_such_a_file_and_say_what_is_left_out()
    {
        using (var store = Open())
            store.Commit(StoreExtensions.Batch(new("bad", _now, 1), new("worse", _now, 2), new("a", _now, 4)));
        ReadingsFile.Query(Database, "UPDATE series SET topic = CAST(x'61FF' AS TEXT) WHERE topic = 'bad'; UPDATE series SET topic = CAST(x'61FE' AS TEXT) WHERE topic = 'worse'");
        var aggregate = Meanwhile(["aggregate", "--broker", "embedded://127.0.0.1:0", "--topic", "#", "--http", "127.0.0.1:0"]);
        await aggregate.SaysAsync("tmp/test.db: 2 readings are left out: their series have no usable names (2 such series; the first is number 1: the topic is not UTF-8)");
        await aggregate.SaysAsync("1 readings of 1 series read back");
        await aggregate.SaysAsync("serving dashboard");
        var address = aggregate.Error.Split("metrics and health at ")[1].Split('\n')[0];
        using var client = new HttpClient();
        foreach (var path in new[] { "api/readings", $"api/statistics?at={_now + 1}" })
        {
            using var json = JsonDocument.Parse(await client.GetStringAsync(new Uri(new Uri(address), path), TestContext.Current.CancellationToken));
            Assert.Equal(1, json.RootElement.EnumerateObject().First().Value.GetArrayLength());
        }
        Assert.Equal("topic,number,epochtime\na,4," + (_now / 1000m).ToString(CultureInfo.InvariantCulture) + "\n", await client.GetStringAsync(new Uri(new Uri(address), "api/readings?format=csv"), TestContext.Current.CancellationToken));
        Assert.Equal(2, aggregate.Error.Split("readings are left out").Length - 1); // At the start, and once for all requests of this minute.
        Assert.Equal(0, await aggregate.TerminateAsync());
    }

    [Fact]
    public async Task Rows_that_name_no_topic_are_not_given_a_filter_for_a_name()
    {
        Directory.CreateDirectory(Folder["tmp"]);
        ReadingsFile.Query(Database, $"CREATE TABLE messages (number INTEGER, epochtime INTEGER); INSERT INTO messages VALUES (1, {_now / 1000}), (2, {_now / 1000})");
        await AssertExportsAsync("plant/+", "", "2 readings are left out: they name no topic, and --topic (TOPIC) has wildcards: name the topic that they came on");
        await AssertExportsAsync("plant/a", "plant/a:1 plant/a:2", "2 readings exported");
        await AssertExportsAsync("$share/us/plant/a", "plant/a:1 plant/a:2", "2 readings exported");
        Open().Dispose(); // Brings the file up to date.
        await AssertExportsAsync("plant/+", "", "2 readings are left out: they name no topic");
        await AssertExportsAsync("$share/us/plant/a", "plant/a:1 plant/a:2", "2 readings exported");

        async Task AssertExportsAsync(string topic, string expected, string said)
        {
            var (code, output, error) = await RunAsync("export", "--topic", topic);
            Assert.Equal(0, code);
            Assert.Contains(said, error, StringComparison.Ordinal);
            Assert.Equal(expected, string.Join(' ', Lines(output).Select(line => JsonDocument.Parse(line).RootElement).Select(r => $"{r.GetProperty("topic")}:{r.GetProperty("number")}")));
        }
    }

    private async Task AssertOnlyGoodAsync(string file, params string[] expected)
    {
        var (code, _, error) = await RunAsync("import", file);
        Assert.Equal(1, code);
        foreach (var line in expected)
            Assert.Contains(line, error, StringComparison.Ordinal);
        Assert.Equal([new("good", _now, 2)], ReadAll("tmp/test.db"));
    }

    private static string[] Lines(string output) => output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private Task WriteAsync(string file, string content) => File.WriteAllBytesAsync(Folder[file], Encoding.UTF8.GetBytes(content), TestContext.Current.CancellationToken);

    private SqliteStore Open() => SqliteStore.Open(Database, new StoreOptions("test", "DATA"));

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
