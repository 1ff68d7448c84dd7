using System.Text;
using Meanwhile.Stores;
using Meanwhile.Stores.Sqlite;
using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.EndToEnd;

/// <summary>Files of readings as other programs write them, from a file or a pipe. Python's csv and json are the judges of ours.</summary>
public sealed class ImportFormatTests : ProgramTest
{
    private readonly long _now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() * 1000;

    private long Seconds => _now / 1000;

    [Theory]
    [InlineData("topic;number;epochtime\na;21,5;{0}\nb;3;{0},25\n", "a:21.5:0 b:3:250")]
    [InlineData("\"epochtime\";\"topic\";\"more, or less\";\"number\"\r\n{0};\"x;\"\"y\"\"\";1,2;-1,5e3\r\n", "x;\"y\":-1500:0")]
    [InlineData("topic;number;epochtime\na,b;21.5;{0}.25\nc;1,5;{0}\n", "")] // Which of the two is it?
    [InlineData("topic;number;epochtime\na;1,5;{0}\nb;1.234;{0}\n", "")]
    [InlineData("topic;number;epochtime\na,b;21.5;{0},25\nc;2.5;{0}\n", "a,b:21.5:250 c:2.5:0")] // Each column has its own.
    [InlineData("topic;number;epochtime\na;1.234,5;{0}\na;1,2,3;{0}\na,1,{0}\nb;1,5;{0}\n", "b:1.5:0")]
    [InlineData("topic,number,epochtime\na,\"1,5\",{0}\nb,2,{0}\n", "b:2:0")] // Without semicolons a comma is none of a number.
    [InlineData("topic,number,epochtime,a;b\na;b,2,{0},\n", "a;b:2:0")]
    [InlineData("\n\r\n  {{\"topic\": \"a\", \"number\": 2, \"epochtime\": {0}}}\n", "a:2:0")]
    [InlineData("\ufefftopic,number,epochtime\na,2,{0}\n", "a:2:0")]
    [InlineData("\ufefftopic;number;epochtime\n\ufeffa;2;{0}\n", "\ufeffa:2:0")] // Inside a file it is a character.
    [InlineData("\ufeff{{\"topic\": \"a\", \"number\": 2, \"epochtime\": {0}}}\n\ufeff{{\"topic\": \"b\", \"number\": 2, \"epochtime\": {0}}}\n", "a:2:0 b:2:0")]
    [InlineData("", "")]
    public async Task A_pipe_is_understood_by_what_it_looks_like(string content, string expected)
    {
        var bytes = Encoding.UTF8.GetBytes(content.Replace("{{", "{", StringComparison.Ordinal).Replace("}}", "}", StringComparison.Ordinal).Replace("{0}", $"{Seconds}", StringComparison.Ordinal));
        foreach (var arguments in new[] { new[] { "import", "-", "--db", "whole.db" }, ["import", "--db", "pieces.db"] })
        {
            var import = Meanwhile(arguments);
            for (var at = 0; at < bytes.Length; at += arguments[1] == "-" ? bytes.Length : 1)
            {
                await import.Input.BaseStream.WriteAsync(bytes.AsMemory(at, arguments[1] == "-" ? bytes.Length : 1), TestContext.Current.CancellationToken);
                await import.Input.BaseStream.FlushAsync(TestContext.Current.CancellationToken);
            }
            import.Input.Close();
            await import.ExitAsync();
            Assert.DoesNotContain("should not have happened", import.Error, StringComparison.Ordinal);
            Assert.Equal(expected, string.Join(' ', ReadAll(arguments[^1]).OrderBy(r => r.Series, StringComparer.Ordinal).Select(r => $"{r.Series}:{r.Value}:{r.Time - _now}")));
        }
    }

    [Theory]
    [InlineData("jsonl")]
    [InlineData("csv")]
    public async Task A_line_in_another_encoding_is_refused_with_its_place_and_no_two_names_become_one(string format)
    {
        byte[] Line(params byte[] topic) => format == "csv"
            ? [.. topic, .. Encoding.ASCII.GetBytes($",1,{Seconds}\n")]
            : [.. "{\"topic\": \""u8, .. topic, .. Encoding.ASCII.GetBytes($"\", \"number\": 1, \"epochtime\": {Seconds}}}\n")];
        await File.WriteAllBytesAsync(
            Folder["odd." + format], [.. format == "csv" ? "topic,number,epochtime\n"u8 : default, .. Line((byte)'a', 0xFC), .. Line((byte)'a', 0xE9), .. Line((byte)'b')], TestContext.Current.CancellationToken);
        var (code, error) = await RunAsync("import", "odd." + format);
        Assert.Equal(1, code);
        var (line, column) = format == "csv" ? (2, 2) : (1, 13);
        Assert.Contains($"line {line} is no reading: line {line}, column {column} (in bytes) is not UTF-8 (byte 0xFC)", error, StringComparison.Ordinal);
        Assert.Contains($"line {line + 1} is no reading: line {line + 1}, column {column} (in bytes) is not UTF-8 (byte 0xE9)", error, StringComparison.Ordinal);
        Assert.Equal(["b"], ReadAll("tmp/test.db").Select(r => r.Series));
    }

    [Fact]
    public async Task The_place_of_a_wrong_byte_is_its_own_line_also_where_a_record_has_several()
    {
        await File.WriteAllBytesAsync(Folder["odd.csv"], [.. "topic,number,epochtime\n\"a\nb"u8, 0xFC, .. "\",1,1\n"u8], TestContext.Current.CancellationToken);
        Assert.Contains("line 2 is no reading: line 3, column 2 (in bytes) is not UTF-8", (await RunAsync("import", "odd.csv")).Error, StringComparison.Ordinal);
        await File.WriteAllBytesAsync(Folder["odd.csv"], [.. "topic,number,epochtime,"u8, 0xFC, .. "\na,1,1\n"u8], TestContext.Current.CancellationToken);
        Assert.Contains("meanwhile: line 1, column 24 (in bytes) is not UTF-8", (await RunAsync("import", "odd.csv")).Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("utf-16", "a.csv")]
    [InlineData("utf-16BE", "a.jsonl")]
    [InlineData("utf-16", "a.txt")]
    public async Task A_file_in_utf_16_is_recognised_and_nothing_of_it_is_imported(string encoding, string file)
    {
        var text = file == "a.csv" ? "topic,number,epochtime\na,1,1\n" : "{\"topic\": \"a\", \"number\": 1, \"epochtime\": 1}\n";
        foreach (var mark in new[] { Encoding.GetEncoding(encoding).GetPreamble(), [] })
        {
            await File.WriteAllBytesAsync(Folder[file], [.. mark, .. Encoding.GetEncoding(encoding).GetBytes(text)], TestContext.Current.CancellationToken);
            var (code, error) = await RunAsync("import", file);
            Assert.Equal(1, code);
            Assert.Contains($"meanwhile: {file}: this is UTF-16; convert it to UTF-8", error, StringComparison.Ordinal);
        }
        Assert.Empty(ReadAll("tmp/test.db"));
    }

    [Theory]
    [InlineData("csv", "import csv, sys; rows = list(csv.DictReader(open('all.csv', encoding='utf-8', newline='')))")]
    [InlineData("jsonl", "import json, sys; rows = [json.loads(line) for line in open('all.jsonl', encoding='utf-8', newline='\\n')]")]
    public async Task Export_is_read_by_others_and_topics_that_look_like_formulas_come_back_as_they_were(string format, string read)
    {
        string[] topics = ["=1", "'=1", "''=1", "@a", "-1", "\ta", "\ra", "'", "'a", "a'=1", "a,\"b\"\r\nc", "\ufeffa", "\u00fc", "\ud83d\udca7", " a ", ";", "a;b"];
        using (var store = Open("tmp/test.db"))
            store.Commit(StoreExtensions.Batch(topics.Select((topic, i) => new Reading(topic, _now + i, -i))));
        Assert.Equal(0, (await RunAsync("export", "all." + format)).Code);
        var judge = Peer("python3", "-c", read + "; print(len(rows), sum(float(r['number']) for r in rows)); sys.exit(any(r['topic'][:1] in ('=', '+', '-', '@', '\\t', '\\r') for r in rows))");
        Assert.Equal(format == "csv" ? 0 : 1, await judge.ExitAsync());
        Assert.Equal($"{topics.Length} {-topics.Select((_, i) => (double)i).Sum():0.0}\n", judge.Output);

        Assert.Contains($"imported {topics.Length}; already there 0", (await RunAsync("import", "--db", "again.db", "all." + format)).Error, StringComparison.Ordinal);
        Assert.Equal(topics, ReadAll("again.db").Select(r => r.Series));
    }

    [Fact]
    public async Task Export_writes_to_standard_output_also_when_it_is_named_by_a_hyphen()
    {
        using (var store = Open("tmp/test.db"))
            store.Commit(StoreExtensions.Batch(new Reading("a", _now, 1)));
        var script = Peer("sh", "-c", $"{Path.Combine(AppContext.BaseDirectory, "meanwhile")} export - --format csv | {Path.Combine(AppContext.BaseDirectory, "meanwhile")} import - --db again.db");
        Assert.Equal(0, await script.ExitAsync());
        Assert.Equal([new("a", _now, 1)], ReadAll("again.db"));
        Assert.False(File.Exists(Folder["-"]));
    }

    private SqliteStore Open(string file) => SqliteStore.Open(Folder[file], new StoreOptions("test", "DATA"));

    private List<Reading> ReadAll(string file)
    {
        using var store = Store.OpenForReading(Folder[file], "DATA");
        return [.. store.ReadReadings(0, long.MaxValue)];
    }

    private async Task<(int Code, string Error)> RunAsync(params string[] arguments)
    {
        var program = Meanwhile(arguments);
        return (await program.ExitAsync(), program.Error);
    }
}
