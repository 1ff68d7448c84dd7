using System.Text.RegularExpressions;
using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.EndToEnd;

/// <summary>Output and logs that nobody reads, or that have nowhere to go.</summary>
public sealed class OutputTests : ProgramTest
{
    private const string Result = "{\"avg_1min\": {0}}";

    private readonly int _port = MosquittoServer.FreePort();

    [Theory]
    [InlineData("plain", "Z warning: (\\d+) log lines were dropped")]
    [InlineData("json", "\"event\":\"LinesDropped\",\"message\":\"(\\d+) log lines were dropped.*\"fields\":{\"count\":\\1}")]
    public async Task A_log_that_nobody_reads_is_dropped_and_counted_and_holds_nobody(string format, string expected)
    {
        const int messages = 15_000;
        using var log = Fifo.Create(Folder["log"]);
        var aggregate = Shell($"exec meanwhile aggregate --broker embedded://127.0.0.1:{_port} --verbose --log-format {format} --ready-file ready 2> log");
        await aggregate.WaitAsync(() => File.Exists(Folder["ready"]), "it is ready");
        await new RawPublisher(_port, qos: 1, inFlight: 1000).RunAsync(messages, TestContext.Current.CancellationToken);
        log.WakeUp();
        await Until.TrueAsync(() => Regex.IsMatch(log.Text, expected), () => log.Text);
        Assert.Equal(0, await aggregate.TerminateAsync());
        Assert.Equal(messages, Rows());

        // What was said and what was dropped is everything: numbers are missing only where it is said.
        await log.ReadsAsync("ledger: ");
        var lines = log.Text.Split('\n');
        Assert.InRange(long.Parse(Regex.Match(log.Text, expected).Groups[1].Value), messages - lines.Length, 3 * messages);
        Assert.All(lines[..^1], line => Assert.StartsWith(format == "json" ? "{\"time\":\"" : "20", line, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_log_that_nobody_reads_does_not_keep_the_program_from_its_end()
    {
        using var log = Fifo.Create(Folder["log"], isFull: true);
        var broker = Shell($"exec meanwhile broker --listen 127.0.0.1:{_port} 2> log");
        await Until.TrueAsync(CanConnectAsync, () => "the broker does not listen");
        Assert.Equal(0, await broker.TerminateAsync());
        Assert.Equal(1, await Shell("exec meanwhile query --db nowhere.db 2> log").ExitAsync());
        Assert.Equal(2, await Shell("exec meanwhile frobnicate 2> log").ExitAsync());
    }

    [Fact]
    public async Task A_log_on_a_full_disk_ends_nothing()
    {
        var aggregate = Shell($"exec meanwhile aggregate --broker embedded://127.0.0.1:{_port} --verbose --ready-file ready 2> /dev/full");
        await aggregate.WaitAsync(() => File.Exists(Folder["ready"]), "it is ready");
        await new RawPublisher(_port, qos: 1, inFlight: 10).RunAsync(100, TestContext.Current.CancellationToken);
        Assert.Equal(0, await aggregate.TerminateAsync());
        Assert.Equal(100, Rows());
    }

    [Theory]
    [InlineData("")]
    [InlineData("--live")]
    public async Task Tables_that_nobody_reads_are_dropped_and_counted_and_hold_nobody(string live)
    {
        const int results = 20_000;
        await BrokerAsync();
        using var output = Fifo.Create(Folder["output"]);
        var watch = Shell($"exec meanwhile watch {live} --verbose --broker 127.0.0.1:{_port} --stats-topic DATA --ready-file ready > output");
        await watch.WaitAsync(() => File.Exists(Folder["ready"]), "it is subscribed");
        await new RawPublisher(_port, qos: 1, inFlight: 1000, Result).RunAsync(results, TestContext.Current.CancellationToken);
        await watch.WaitAsync(() => watch.Error.Contains($"\"avg_1min\": {results}}}", StringComparison.Ordinal), "all results have come");
        output.WakeUp();
        await watch.SaysAsync("results were not shown");
        await watch.WaitAsync(() => output.Text.Contains($"{results}", StringComparison.Ordinal), "the newest are there");
        Assert.Equal(0, await watch.TerminateAsync());
        var shown = output.Text.Count(c => c == '\n') / (live.Length > 0 ? 1 : 3);
        Assert.Equal(results, shown + Regex.Matches(watch.Error, @"warning: (\d+) results were not shown").Sum(m => int.Parse(m.Groups[1].Value)));
    }

    [Theory]
    [InlineData("watch --verbose --broker 127.0.0.1:PORT --stats-topic DATA --ready-file ready", "TERM")]
    [InlineData("watch --verbose --live --broker 127.0.0.1:PORT --stats-topic DATA --ready-file ready", "INT")]
    public async Task Tables_that_nobody_reads_do_not_keep_the_program_from_its_end(string command, string signal)
    {
        await BrokerAsync();
        using var output = Fifo.Create(Folder["output"], isFull: true);
        var watch = Shell($"exec meanwhile {command.Replace("PORT", $"{_port}", StringComparison.Ordinal)} > output");
        await watch.WaitAsync(() => File.Exists(Folder["ready"]), "it is subscribed");
        await new RawPublisher(_port, qos: 1, inFlight: 10, Result).RunAsync(100, TestContext.Current.CancellationToken);
        await watch.WaitAsync(() => watch.Error.Contains("\"avg_1min\": 100}", StringComparison.Ordinal), "all results have come");
        Assert.Equal(0, await watch.SignalAsync(signal));
        Assert.Contains("results were not shown", watch.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("export", "TERM")]
    [InlineData("query --readings", "INT")]
    [InlineData("quarantine list", "TERM")]
    public async Task A_file_that_nobody_reads_is_waited_for_until_the_program_is_told_to_stop(string command, string signal)
    {
        await FillAsync();
        using var output = Fifo.Create(Folder["output"], isFull: true);
        var program = Shell($"exec meanwhile {command} --verbose > output");
        await program.WaitAsync(() => Waits(program.Id), "it waits for its reader");
        Assert.Equal(0, await program.SignalAsync(signal));
        Assert.DoesNotContain("exported", program.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_reader_who_wakes_up_gets_all_of_a_file()
    {
        await FillAsync();
        using var output = Fifo.Create(Folder["output"], isFull: true);
        var program = Shell("exec meanwhile export > output");
        await program.WaitAsync(() => Waits(program.Id), "it waits for its reader");
        output.WakeUp();
        Assert.Equal(0, await program.ExitAsync());
        await Until.TrueAsync(() => output.Text.Count(c => c == '\n') == Readings, () => $"{output.Text.Length}");
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("watch --help")]
    [InlineData("--version")]
    [InlineData("man")]
    [InlineData("completion bash")]
    [InlineData("export")]
    [InlineData("query")]
    [InlineData("query --readings --format csv")]
    [InlineData("quarantine list")]
    [InlineData("quarantine list --format json")]
    [InlineData("quarantine show 1")]
    [InlineData("quarantine show 1 --raw")]
    public async Task Output_that_is_gone_ends_a_program_at_once_quietly_where_its_reader_has_enough(string command)
    {
        await FillAsync();
        var full = Shell($"LOG_LEVEL=error exec meanwhile {command} > /dev/full");
        Assert.Equal(1, await full.ExitAsync());
        Assert.Equal("meanwhile: standard output cannot be written (No space left on device): expected a place with room that can be written to\n", full.Error);

        var closed = Shell($"LOG_LEVEL=error exec meanwhile {command} >&-");
        Assert.Equal(1, await closed.ExitAsync());
        Assert.Contains("meanwhile: standard output cannot be written (", closed.Error, StringComparison.Ordinal);

        var gone = Shell($"{{ LOG_LEVEL=error meanwhile {command}; echo $? >&2; }} | true");
        Assert.Equal(0, await gone.ExitAsync());
        await gone.WaitAsync(() => gone.Error == "0\n", "it has ended without a word");
    }

    [Theory]
    [InlineData("watch --broker 127.0.0.1:PORT --stats-topic a")]
    [InlineData("watch --live --broker 127.0.0.1:PORT --stats-topic a")]
    [InlineData("demo --rate 100 --http 127.0.0.1:0")]
    public async Task Tables_end_with_their_reader_in_good_order(string command)
    {
        await BrokerAsync();
        using var ending = new CancellationTokenSource();
        var sending = SendAsync(ending.Token);
        var watch = Shell($"{{ meanwhile {command.Replace("PORT", $"{_port}", StringComparison.Ordinal)}; echo ended $? >&2; }} | head -1");
        Assert.Equal(0, await watch.ExitAsync());
        await watch.SaysAsync("ended 0\n");
        Assert.DoesNotContain("meanwhile: ", watch.Error, StringComparison.Ordinal);
        Assert.Contains("avg_1min", Assert.Single(watch.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
        if (command.StartsWith("demo", StringComparison.Ordinal))
            Assert.Contains("ledger: ", watch.Error, StringComparison.Ordinal);
        else
            Assert.Equal(1, await Shell($"exec meanwhile {command.Replace("PORT", $"{_port}", StringComparison.Ordinal)} > /dev/full").ExitAsync());
        await ending.CancelAsync();
        await sending;
    }

    [Fact]
    public async Task Messages_that_stay_in_the_quarantine_are_a_failure_also_when_nobody_reads_which()
    {
        await FillAsync();
        var replay = Shell("{ meanwhile quarantine replay --all; echo $? >&2; } | true");
        await replay.ExitAsync();
        Assert.EndsWith("\n1\n", replay.Error, StringComparison.Ordinal);
    }

    private const int Readings = 5000;

    // Readings and a message that is none.
    private async Task FillAsync()
    {
        var aggregate = Meanwhile(["aggregate", "--broker", $"embedded://127.0.0.1:{_port}", "--topic", "#", "--stats-topic", "S"]);
        await aggregate.SaysAsync("is listening");
        using (var sender = await MqttSender.ConnectAsync(_port))
            await sender.SendAsync("odd", new string('?', 1000));
        await new RawPublisher(_port, qos: 1, inFlight: 1000).RunAsync(Readings, TestContext.Current.CancellationToken);
        Assert.Equal(0, await aggregate.TerminateAsync());
    }

    private async Task BrokerAsync()
    {
        var broker = Meanwhile(["broker", "--listen", $"127.0.0.1:{_port}"]);
        await broker.SaysAsync("is listening");
    }

    private async Task SendAsync(CancellationToken stop)
    {
        using var sender = await MqttSender.ConnectAsync(_port);
        while (!stop.IsCancellationRequested)
            await sender.SendAsync("a", """{"avg_1min": 46, "avg_5min": 45.7, "avg_30min": 47.1}""");
    }

    private async Task<bool> CanConnectAsync()
    {
        try
        {
            using var sender = await MqttSender.ConnectAsync(_port);
            return true;
        }
        catch (System.Net.Sockets.SocketException)
        {
            return false;
        }
    }

    // A thread of it is inside of the pipe's write.
    private static bool Waits(int process) =>
        Directory.EnumerateDirectories($"/proc/{process}/task").Any(thread => File.ReadAllText(Path.Combine(thread, "wchan")) is "pipe_write" or "anon_pipe_write");

    private RunningProgram Shell(string script) => Peer("sh", "-c", $"PATH={AppContext.BaseDirectory}:$PATH; {script}");
}
