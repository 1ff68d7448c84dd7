using System.Globalization;
using System.Text;
using Meanwhile.Trials.Benchmarking;
using Meanwhile.Trials.Processes;
using Microsoft.Playwright;

namespace Meanwhile.Path.Bench;

/// <summary>What somebody at the dashboard waits for, in the system's Chromium: until the page shows something, until a reading appears on it, and for its frames while it is scrolled.</summary>
internal static class Page
{
    private const int Readings = 12;
    private const int ScrolledSeconds = 5;
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(50);

    // Notes when the list is live and its first row is drawn, in milliseconds since the page was asked for.
    private const string NoteOpening = """
        const look = () => {
          if (document.documentElement?.dataset.state === "live" && document.querySelector("#grid .rows .tr:not([hidden])")?.series)
            requestAnimationFrame(() => window.filled = performance.now());
          else
            requestAnimationFrame(look);
        };
        requestAnimationFrame(look);
        """;

    // Tells by the clock when the first mean in the row of a series is another one, and drawn.
    private const string SeeChange = """
        topic => new Promise(done => {
          const row = [...document.querySelectorAll("#grid .rows .tr")].find(row => !row.hidden && row.series.topic === topic);
          const before = row.cells[0].exact;
          const look = () => requestAnimationFrame(() => row.cells[0].exact === before ? look() : requestAnimationFrame(() => done(Date.now())));
          look();
        })
        """;

    // The time between frames, while the list is scrolled if there is one.
    private const string Scroll = """
        seconds => new Promise(done => {
          const [grid, frames, end] = [document.getElementById("grid"), [], performance.now() + 1000 * seconds];
          let last;
          const frame = now => {
            if (last !== undefined)
              frames.push(now - last);
            last = now;
            if (grid !== null)
              grid.scrollTop = (grid.scrollTop + 300) % (grid.scrollHeight - grid.clientHeight);
            now < end ? requestAnimationFrame(frame) : done(frames);
          };
          requestAnimationFrame(frame);
        })
        """;

    /// <summary>Prints each round, and the medians.</summary>
    public static async Task RunAsync(int rounds, int series, int rate, string program)
    {
        var folder = Directory.CreateTempSubdirectory("page-bench").FullName;
        string[] topics = [.. Enumerable.Range(0, series).Select(i => PublishTemplate.TopicOf(Aggregate.Topic, i))];
        var (port, httpPort) = (Loopback.FreePort(), Loopback.FreePort());
        using (await Aggregate.StartAsync(program, folder, $"embedded://127.0.0.1:{port}", "--http", $"127.0.0.1:{httpPort}"))
        {
            using (var load = await Aggregate.LoadAsync(port, series))
                await load.PublishAllAsync(series);
            using var publisher = await RawConnection.ConnectAsync(Target.Local(port), "page", version: 4, CancellationToken.None);
            using var playwright = await Playwright.CreateAsync();
            await using var browser = await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions { ExecutablePath = "/usr/bin/chromium", Args = ["--no-sandbox", "--disable-dev-shm-usage"] });
            Dictionary<string, List<double>> figures = new(StringComparer.Ordinal);
            for (var round = 0; round < rounds; round++)
                await MeasureAsync(browser, $"http://127.0.0.1:{httpPort}", publisher, topics, rate, (name, value) => (figures.TryGetValue(name, out var of) ? of : figures[name] = []).Add(value));
            foreach (var (name, values) in figures)
                Console.WriteLine($"{name,-50} {Median(values),8:0.0}   ({string.Join(", ", values.Select(value => value.ToString("0.0", CultureInfo.InvariantCulture)))})");
        }
        Directory.Delete(folder, recursive: true);
    }

    // A browser that knows nothing yet, as at somebody's first visit.
    private static async Task MeasureAsync(IBrowser browser, string http, RawConnection publisher, string[] topics, int rate, Action<string, double> tell)
    {
        await using var context = await browser.NewContextAsync(new BrowserNewContextOptions { ViewportSize = new ViewportSize { Width = 1440, Height = 900 } });
        var empty = await context.NewPageAsync();
        var frames = await empty.EvaluateAsync<double[]>(Scroll, ScrolledSeconds);
        TellFrames("an empty page", frames, tell);
        await empty.CloseAsync();

        var page = await context.NewPageAsync();
        var session = await context.NewCDPSessionAsync(page);
        await session.SendAsync("Performance.enable", new Dictionary<string, object>(StringComparer.Ordinal) { ["timeDomain"] = "threadTicks" });
        await page.AddInitScriptAsync(NoteOpening);
        await page.GotoAsync(http);
        await page.WaitForFunctionAsync("() => window.filled !== undefined");
        tell("first content, ms", await page.EvaluateAsync<double>("() => performance.getEntriesByName('first-contentful-paint')[0].startTime"));
        tell("all series are there, ms", await page.EvaluateAsync<double>("() => window.filled"));
        tell("until then the page's thread was busy, CPU ms", await CpuAsync(session));
        tell("sent to the page, KiB", await page.EvaluateAsync<double>("() => [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')].reduce((sum, entry) => sum + entry.transferSize, 0) / 1024"));

        var waits = new List<double>();
        for (var i = 0; i < Readings; i++)
            waits.Add(await AppearAsync(page, publisher, topics[0], i));
        tell("a reading appears, median, ms", Median(waits));
        tell("a reading appears, longest, ms", waits.Max());

        using var ending = new CancellationTokenSource();
        var publishing = PublishAsync(publisher, topics, rate, ending.Token);
        var cpu = await CpuAsync(session);
        frames = await page.EvaluateAsync<double[]>(Scroll, ScrolledSeconds);
        TellFrames($"scrolling at {rate} readings/s", frames, tell);
        tell("of it the page's thread was busy, CPU ms a frame", (await CpuAsync(session) - cpu) / frames.Length);
        await ending.CancelAsync();
        await publishing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private static async Task<double> AppearAsync(IPage page, RawConnection publisher, string topic, int number)
    {
        var seen = page.EvaluateAsync<double>(SeeChange, topic);
        await page.EvaluateAsync("() => 0"); // It looks by now.
        var sent = Now();
        await publisher.SendAsync(Reading(topic, 1000 * (number + 1), sent), CancellationToken.None);
        return await seen - sent.ToUnixTimeMilliseconds();
    }

    private static async Task PublishAsync(RawConnection publisher, string[] topics, int rate, CancellationToken ending)
    {
        using var timer = new PeriodicTimer(Tick, TimeProvider.System);
        for (var sent = 0; await timer.WaitForNextTickAsync(ending);)
        {
            List<byte> block = [];
            for (var i = 0; i < rate * Tick.TotalSeconds; i++, sent++)
                block.AddRange(Reading(topics[sent % topics.Length], sent % 100, Now()));
            await publisher.SendAsync(block.ToArray(), ending);
        }
    }

    private static byte[] Reading(string topic, int number, DateTimeOffset time) =>
        PreparedPackets.PublishTo(topic, qos: 0, retain: false, Encoding.ASCII.GetBytes($"{{\"number\": {number}, \"epochtime\": \"{time.ToUnixTimeSeconds()}\"}}"));

    // What the thread has computed, in milliseconds, so that it matters less who else is on the machine.
    private static async Task<double> CpuAsync(ICDPSession session)
    {
        var metrics = await session.SendAsync("Performance.getMetrics");
        return 1000 * metrics!.Value.GetProperty("metrics").EnumerateArray().First(metric => metric.GetProperty("name").GetString() == "TaskDuration").GetProperty("value").GetDouble();
    }

    private static void TellFrames(string name, double[] frames, Action<string, double> tell)
    {
        double[] sorted = [.. frames.Order()];
        tell($"{name}: frame, median, ms", sorted[sorted.Length / 2]);
        tell($"{name}: frame, p95, ms", sorted[sorted.Length * 95 / 100]);
        tell($"{name}: frame, longest, ms", sorted[^1]);
    }

    private static DateTimeOffset Now() => TimeProvider.System.GetUtcNow();

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
