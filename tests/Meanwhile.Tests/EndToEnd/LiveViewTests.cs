using System.Diagnostics;
using System.Text.RegularExpressions;
using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.EndToEnd;

/// <summary>The live view in a real terminal, over a real broker.</summary>
[Trait("peer", "tmux")]
public sealed class LiveViewTests : ProgramTest
{
    private const string Untouched = "cursor 1 alternate 0 wrap 1 echo icanon";
    private const string Taken = "cursor 0 alternate 1 wrap 0 -echo -icanon";

    private int _port;
    private RunningProgram? _broker;

    [Fact]
    public async Task It_fills_80_by_24_and_grows_to_200_by_60()
    {
        using var window = await WatchAsync();
        using var sender = await MqttSender.ConnectAsync(_port);
        for (var i = 0; i < 100; i++)
            await SendAsync(sender, $"plant/{i:00}", i);
        await window.ShowsAsync("100 series");
        await window.ShowsAsync("plant/18");
        Assert.StartsWith($"connected  mqtt://127.0.0.1:{_port} STATS/#  100 results  100 series", window.Screen[0], StringComparison.Ordinal);
        Assert.Matches(@"^avg_1min  avg_5min  avg_30min  +results +age +topic↑$", window.Screen[1].TrimEnd());
        Assert.Matches(@"^      18 +17 +18\.5 +▄ +1 +\d+s  STATS/plant/18$", window.Screen[20].TrimEnd());
        Assert.Equal("1 of 100: STATS/plant/00", window.Screen[21].TrimEnd());
        Assert.StartsWith("subscribed to STATS/#", window.Screen[22], StringComparison.Ordinal);
        Assert.StartsWith("q quit", window.Screen[23], StringComparison.Ordinal);

        window.Resize(200, 60);
        await window.ShowsAsync("plant/54");
        Assert.Equal(60, window.Screen.Length);
        Assert.StartsWith("q quit", window.Screen[59], StringComparison.Ordinal);
        window.Resize(30, 8);
        await window.WaitAsync(() => window.Screen is { Length: 8 } screen && screen[7].StartsWith("q quit", StringComparison.Ordinal) && screen[2].Contains(" ST", StringComparison.Ordinal), "it has shrunk");
        await LeaveAsync(window, () => window.Type("q"));
    }

    [Fact]
    public async Task Keys_filter_sort_and_move()
    {
        using var window = await WatchAsync();
        using var sender = await MqttSender.ConnectAsync(_port);
        foreach (var (topic, value) in new[] { ("a", 2), ("b", 3), ("c", 1) })
            await SendAsync(sender, topic, value);
        await window.ShowsAsync("3 series");
        await window.WaitAsync(() => TopicsOf(window) == "a b c", "it is sorted by topic");
        window.Type("s");
        await window.WaitAsync(() => TopicsOf(window) == "b a c", "it is sorted by the first mean");
        window.Type("r");
        await window.WaitAsync(() => TopicsOf(window) == "c a b", "the smallest is first");
        window.Press("Down");
        await window.ShowsAsync("2 of 3: STATS/a");
        window.Type("/STATS/b");
        await window.WaitAsync(() => TopicsOf(window) == "b", "only what matches is left");
        await window.ShowsAsync("/STATS/b_");
        window.Press("Enter");
        await window.ShowsAsync("topics with STATS/b");
        window.Press("Escape");
        await window.WaitAsync(() => TopicsOf(window) == "c a b", "all are back");
        await LeaveAsync(window, () => window.Type("q"));
    }

    [Theory]
    [InlineData("C-c")]
    [InlineData("C-\\")]
    public async Task Keys_that_end_a_program_give_the_terminal_back(string key)
    {
        using var window = await WatchAsync();
        await LeaveAsync(window, () => window.Press(key));
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("HUP")]
    public async Task Signals_while_it_draws_give_the_terminal_back(string signal)
    {
        using var window = await WatchAsync();
        using var sender = await MqttSender.ConnectAsync(_port);
        using var ending = new CancellationTokenSource();
        var sending = Task.Run(async () =>
        {
            for (var i = 0; !ending.IsCancellationRequested; i++)
                await SendAsync(sender, $"plant/{i % 200}", i);
        }, TestContext.Current.CancellationToken);
        await window.ShowsAsync("200 series");
        await LeaveAsync(window, () => Signal(signal));
        await ending.CancelAsync();
        await sending;
    }

    [Fact]
    public async Task A_failure_on_another_thread_gives_the_terminal_back()
    {
        using var window = await StartAsync(80, 24, $"mkfifo fail; FAIL=fail DOTNET_STARTUP_HOOKS='{typeof(StartupHook).Assembly.Location}' {{0}}; echo exit $?; cat");
        await window.WaitAsync(() => window.State == Taken && window.Screen[0].StartsWith("connected", StringComparison.Ordinal), "it has the terminal");
        await File.WriteAllTextAsync(Folder["fail"], "all is lost", TestContext.Current.CancellationToken);
        await window.ShowsAsync("exit 134");
        await window.ShowsAsync("all is lost");
        Assert.Equal(Untouched, window.State);
    }

    [Fact]
    public async Task It_ends_with_its_terminal_also_where_nobody_says_that_it_is_gone()
    {
        using var window = await StartAsync(80, 24, "trap '' HUP; sh -c 'echo $$ > pid; exec {0}'");
        await window.WaitAsync(() => window.State == Taken && window.Screen[0].StartsWith("connected", StringComparison.Ordinal), "it has the terminal");
        await window.VanishAsync("pid");
    }

    [Fact]
    public async Task After_sigkill_reset_gives_the_terminal_back()
    {
        using var window = await WatchAsync(after: "tput rmcup; reset; ");
        Signal("KILL");
        await window.WaitAsync(() => window.State == Untouched, "the terminal is back");
    }

    [Fact]
    public async Task A_suspended_one_gives_the_terminal_back_for_as_long()
    {
        using var window = await StartAsync(80, 24, "echo '{0}' > run; exec bash --norc -i");
        await window.ShowsAsync("$");
        window.Type("source ./run\n");
        await window.WaitAsync(() => window.State == Taken, "it has the terminal");
        window.Press("C-z");
        await window.ShowsAsync("Stopped");
        Assert.StartsWith("cursor 1 alternate 0 wrap 1", window.State, StringComparison.Ordinal); // The modes are the shell's own.
        window.Type("fg\n");
        await window.WaitAsync(() => window.State == Taken && window.Screen[0].StartsWith("connected", StringComparison.Ordinal), "it has it again");
        window.Type("q");
        await window.WaitAsync(() => window.State.StartsWith("cursor 1 alternate 0 wrap 1", StringComparison.Ordinal), "it is given back");
    }

    [Fact]
    public async Task A_broker_that_goes_is_a_state_and_the_log_is_whole_afterwards()
    {
        using var window = await WatchAsync();
        using (var sender = await MqttSender.ConnectAsync(_port))
            await SendAsync(sender, "a", 1);
        await window.ShowsAsync("STATS/a");
        Assert.Equal(0, await _broker!.TerminateAsync());
        await window.WaitAsync(() => window.Screen[0].StartsWith("reconnecting", StringComparison.Ordinal), "it says so");
        await window.ShowsAsync("STATS/a"); // What was known stays.
        StartBroker();
        await window.WaitAsync(() => window.Screen[0].StartsWith("connected", StringComparison.Ordinal), "it is connected again");
        await LeaveAsync(window, () => window.Type("q"));
        var log = string.Join('\n', window.Screen);
        Assert.Equal(2, Regex.Count(log, @"Z connected to mqtt://"));
        Assert.Equal(1, Regex.Count(log, @"Z warning: the connection to mqtt://"));
    }

    [Fact]
    public async Task Hostile_topics_and_names_do_not_break_the_screen()
    {
        using var window = await WatchAsync();
        using var sender = await MqttSender.ConnectAsync(_port);
        string[] topics = ["STATS/[red]x[/]", "STATS/\u202Eabc", "STATS/" + new string('温', 200), "STATS/👨‍👩‍👧🚀 e\u0301\u0301\u0301\u0301", "STATS/שלום", "STATS/zz\u2028z"];
        foreach (var topic in topics)
            await sender.SendAsync(topic, """{"avg_1min": 7, "\u001b[2J\u001b[31m\n[blink]": 8, "\u009b2J": null}""");
        await window.ShowsAsync($"{topics.Length} series");
        await window.ShowsAsync("[red]x[/]");
        var screen = window.Screen;
        Assert.Equal(24, screen.Length);
        Assert.All(screen.Skip(2).Take(topics.Length), line => Assert.Matches(@"^ +7 +8 +▄? *1 +\d+s  STATS/", line));
        Assert.Contains("STATS/\uFFFDabc", string.Join('\n', screen), StringComparison.Ordinal);
        Assert.StartsWith("q quit", screen[23], StringComparison.Ordinal);
        await LeaveAsync(window, () => window.Type("q"));
    }

    [Fact]
    public async Task Colours_are_left_out_when_that_is_wanted()
    {
        using (var colourful = await WatchAsync())
        {
            Assert.Contains("\e[32mconnected", colourful.Colours, StringComparison.Ordinal);
            await LeaveAsync(colourful, () => colourful.Type("q"));
        }
        using var plain = await StartAsync(80, 24, "NO_COLOR=1 {0}; cat");
        await plain.ShowsAsync("connected  ");
        Assert.DoesNotMatch(@"\e\[[0-9;]*[39][0-7]m", plain.Colours);
    }

    [Theory]
    [InlineData("{0} | cat")]
    [InlineData("TERM=dumb {0}")]
    public async Task Where_nothing_can_be_drawn_each_result_is_a_line(string script)
    {
        using var window = await StartAsync(200, 24, script);
        await window.ShowsAsync("subscribed to");
        using var sender = await MqttSender.ConnectAsync(_port);
        await SendAsync(sender, "a", 46);
        await window.ShowsAsync("avg_1min=46");
        Assert.Contains(window.Screen, line => Regex.IsMatch(line, @"^20\d\d-\d\d-\d\dT[\d:.]{12}Z +STATS/a +avg_1min=46 +avg_5min=45 +avg_30min=46.5$"));
        Assert.DoesNotContain("alternate 1", window.State, StringComparison.Ordinal);
    }

    private static Task SendAsync(MqttSender sender, string topic, int value) =>
        sender.SendAsync($"STATS/{topic}", $$"""{"avg_1min": {{value}}, "avg_5min": {{value - 1}}, "avg_30min": {{value}}.5}""");

    private static string TopicsOf(TerminalWindow window) =>
        string.Join(' ', window.Screen.Skip(2).Take(19).Select(line => Regex.Match(line, @"STATS/(\w+)$").Groups[1].Value).Where(topic => topic.Length > 0));

    private void StartBroker() => _broker = Meanwhile(["broker", "--listen", $"127.0.0.1:{_port}"]);

    private async Task<TerminalWindow> StartAsync(int width, int height, string script)
    {
        if (_broker is null)
        {
            _port = MosquittoServer.FreePort();
            StartBroker();
            await _broker!.SaysAsync("is listening");
        }
        var watch = $"meanwhile watch --live --broker 127.0.0.1:{_port} --stats-topic \"STATS/#\" --client-id {Guid.NewGuid():N}";
        return TerminalWindow.Open(Folder.Path, width, height, string.Format(script, watch));
    }

    private async Task<TerminalWindow> WatchAsync(string after = "")
    {
        var window = await StartAsync(80, 24, $"trap : INT QUIT; sh -c 'echo $$ > pid; exec {{0}}'; echo exit $?; {after}cat");
        await window.WaitAsync(() => window.State == Taken && window.Screen[0].StartsWith("connected", StringComparison.Ordinal), "it has the terminal");
        return window;
    }

    private void Signal(string name)
    {
        using var kill = Process.Start("kill", ["-" + name, File.ReadAllText(Folder["pid"]).Trim()]);
        kill.WaitForExit();
    }

    private static async Task LeaveAsync(TerminalWindow window, Action leave)
    {
        leave();
        await window.ShowsAsync("exit 0");
        Assert.Equal(Untouched, window.State);
    }
}
