using System.Reflection;
using System.Text.Json;
using Meanwhile.Feeds;
using Meanwhile.Logging;
using Meanwhile.Tests.Support;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Meanwhile.Tests.Logging;

public class LogTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 31, 12, 0, 0, 250, TimeSpan.Zero);

    private readonly FakeTimeProvider _time = new(Start);
    private readonly ListLogger _logger = new();

    [Fact]
    public void Events_have_numbers_of_their_own()
    {
        var numbers = typeof(Log).GetMethods().Select(method => method.GetCustomAttribute<LoggerMessageAttribute>()?.EventId).OfType<int>().ToList();
        Assert.NotEmpty(numbers);
        Assert.Equal(numbers.Distinct(), numbers);
    }

    [Fact]
    public void For_programs_an_event_is_one_json_object_with_its_fields()
    {
        var line = Write(new JsonFormatter(_time), logger => Log.Quarantined(logger, "not valid\nJSON", "plant/\"1\"\e", ""));
        Assert.Equal(1, line.Count(c => c == '\n'));
        Assert.DoesNotContain('\e', line);
        using var json = JsonDocument.Parse(line);
        Assert.Equal("2026-01-31T12:00:00.250Z", json.RootElement.GetProperty("time").GetString());
        Assert.Equal("warning", json.RootElement.GetProperty("level").GetString());
        Assert.Equal("Quarantined", json.RootElement.GetProperty("event").GetString());
        Assert.Equal("no reading, kept in the quarantine: not valid\nJSON (topic plant/\"1\"\e)", json.RootElement.GetProperty("message").GetString());
        Assert.Equal("""{"reason":"not valid\nJSON","topic":"plant/\"1\"\u001B"}""", json.RootElement.GetProperty("fields").GetRawText());
    }

    [Fact]
    public void Numbers_and_times_are_fields_of_their_kind()
    {
        Assert.Contains("\"fields\":{\"count\":7}", Write(new JsonFormatter(_time), logger => Log.AllPublished(logger, 7)), StringComparison.Ordinal);
        var line = Write(new JsonFormatter(_time), logger => Log.MayBeIncomplete(logger, Start.UtcDateTime));
        Assert.Contains("back to 2026-01-31T12:00:00Z,", line, StringComparison.Ordinal);
        Assert.Contains("\"start\":\"2026-01-31T12:00:00.25Z\"", line, StringComparison.Ordinal);
    }

    [Fact]
    public void For_people_it_is_one_line_of_text() => Assert.Equal(
        "2026-01-31T12:00:00Z warning: no reading, kept in the quarantine: a\uFFFDb\uFFFDc (topic \uFFFDt\uFFFD); 3 more\n",
        Write(new PlainFormatter(_time), logger => Log.Quarantined(logger, "a\nb\u2028c", "\u202Et\u2066", "; 3 more")));

    [Fact]
    public void Whoever_has_the_terminal_gets_the_lines()
    {
        List<string> written = [];
        List<(string, string)> taken = [];
        var diversion = new LogDiversion(written.Add);
        var logger = new LineLogger(LogLevel.Information, new PlainFormatter(_time), diversion);
        using (diversion.Divert((text, line) =>
        {
            taken.Add((text, line));
            return true;
        }))
        {
            Log.Stopping(logger);
        }
        Assert.Equal(("stopping", "2026-01-31T12:00:00Z stopping\n"), Assert.Single(taken));
        Assert.Empty(written);
        Log.Stopping(logger);
        Log.Received(logger, "t", "less than is said");
        Assert.Equal("2026-01-31T12:00:00Z stopping\n", Assert.Single(written));
    }

    [Fact]
    public void Causes_that_strangers_make_up_take_no_memory_without_end()
    {
        var limiter = new LogLimiter(_time);
        Assert.All(Enumerable.Range(0, LogLimiter.MostCauses), i => Assert.True(limiter.MayLog($"cause {i}", out _)));
        Assert.True(limiter.MayLog("one more", out _));
        Assert.All(Enumerable.Range(0, 100_000), i => Assert.False(limiter.MayLog(i % 2 == 0 ? "yet another" : "and another", out _)));
        _time.Advance(TimeSpan.FromSeconds(59));
        Assert.False(limiter.MayLog("cause 7", out _)); // Those that are known are told apart as ever.
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(limiter.MayLog("cause 7", out var repeated));
        Assert.Equal("; 1 more like it since the last such line", repeated);
        Assert.True(limiter.MayLog("a new one", out _));
        Assert.True(limiter.MayLog("and its like", out _));
        Assert.False(limiter.MayLog("a new one", out _));
    }

    [Fact]
    public void A_connection_that_comes_and_goes_is_said_once_a_minute_and_never_by_halves()
    {
        var log = new ConnectionLog(new BrokerSettings(new BrokerAddress("mqtt", "b", 1883, ""), "me", null, null), _logger, _time);
        log.Connected("5.0");
        for (var i = 0; i < 30; i++)
        {
            log.Lost("closed");
            log.Connected("5.0");
            log.Subscribed("f");
            log.SessionLost();
            _time.Advance(TimeSpan.FromSeconds(4));
        }
        string[] round =
        [
            "the connection to mqtt://b:1883 is lost (closed): connecting again",
            "connected to mqtt://b:1883 as me (MQTT 5.0)",
            "subscribed to f",
            "the session was lost by the broker; what it held for us while we were away is gone",
        ];
        var again = "; 14 more like it since the last such line";
        Assert.Equal(["connected to mqtt://b:1883 as me (MQTT 5.0)", .. round, round[0] + again, round[1], round[2], round[3] + again], _logger.Lines);
    }

    [Fact]
    public void A_broker_that_stays_away_is_said_also_when_it_was_away_a_moment_before()
    {
        var log = new ConnectionLog(new BrokerSettings(new BrokerAddress("mqtt", "b", 1883, ""), "me", null, null), _logger, _time);
        log.Away("refused");
        log.Connected("5.0");
        log.Lost("closed");
        log.Connected("5.0");
        log.Lost("closed"); // Left out.
        log.Away("refused"); // So is this; but the last line must not stay "connected".
        var before = _logger.Lines.Count;
        _time.Advance(TimeSpan.FromMinutes(1));
        log.Away("refused");
        Assert.Equal("mqtt://b:1883 is not there (refused): waiting for it; 1 more like it since the last such line", _logger.Lines.Last());
        Assert.Equal(before + 1, _logger.Lines.Count);
        log.Away("refused");
        Assert.Contains("still not there", _logger.Lines.Last(), StringComparison.Ordinal);
        log.Connected("5.0");
        Assert.StartsWith("connected", _logger.Lines.Last(), StringComparison.Ordinal);
    }

    private static string Write(LineFormatter formatter, Action<ILogger> say)
    {
        var text = "";
        say(new LineLogger(LogLevel.Trace, formatter, new LogDiversion(line => text += line)));
        return text;
    }
}
