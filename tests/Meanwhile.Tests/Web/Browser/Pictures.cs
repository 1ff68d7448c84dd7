using System.Runtime.CompilerServices;
using Meanwhile.Tests.Support;
using Microsoft.Playwright;

namespace Meanwhile.Tests.Web.Browser;

/// <summary>Makes the pictures of the dashboard for the documentation, from a run; docs/pictures/make.sh asks for it.</summary>
public sealed class Pictures(BrowserFixture browser) : BrowserTest(browser)
{
    private const int Retention = 2090;

    private static readonly (string Topic, double Base, double Swing)[] Sensors =
    [
        ("plant/boiler/temperature", 71, 6), ("plant/boiler/pressure", 2.4, 0.3), ("plant/dock/humidity", 55, 9), ("plant/hall-1/temperature", 21, 2.5),
        ("plant/hall-2/temperature", 19.5, 2), ("plant/line-1/flow", 12, 4), ("plant/line-2/flow", 11, 3), ("plant/press/vibration", 0.42, 0.12), ("plant/roof/wind", 6.5, 3),
    ];

    private readonly Random _random = new(7);

    [Fact(Explicit = true)]
    public async Task Of_the_dashboard()
    {
        var (_, http, mqtt) = await ServeAsync("--topic", "plant/#");
        using var sender = await MqttSender.ConnectAsync(mqtt);
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0;
        foreach (var sensor in Sensors)
        {
            for (var time = now - Retention; time < now - 2; time += 3 + (3 * _random.NextDouble()))
                await SendAsync(sender, sensor, time);
        }
        foreach (var odd in new[] { "{\"number\": \"warm\", \"epochtime\": 1}", "sensor rebooted", $"{{\"number\": 20.5, \"epochtime\": {now + 7200:0}}}" })
            await sender.SendAsync("plant/hall-2/temperature", odd);

        foreach (var (name, width, height, colours) in new[]
        {
            ("light", 1280, 800, ColorScheme.Light), ("dark", 1280, 800, ColorScheme.Dark), ("phone", 360, 740, ColorScheme.Light),
        })
        {
            await OpenLiveAsync(new Uri(http, "#plant/boiler/temperature"), width, height, colours);
            await TextAsync("#legend-text", "readings shown");
            foreach (var sensor in Sensors[1..5])
                await SendAsync(sender, sensor, TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0);
            await Page.WaitForFunctionAsync("() => document.getElementById('rate').textContent !== '–' && document.getAnimations().length > 0");
            await Page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.GetFullPath($"../../../../docs/pictures/dashboard-{name}.png", Path.GetDirectoryName(Here())!) });
            await CloseAsync(http);
        }
    }

    private Task SendAsync(MqttSender sender, (string Topic, double Base, double Swing) sensor, double time)
    {
        var value = sensor.Base + (sensor.Swing * (Math.Sin((time / 420) + sensor.Base) + (0.4 * Math.Sin(time / 97)) + (0.5 * (_random.NextDouble() + _random.NextDouble() - 1))));
        return sender.SendAsync(sensor.Topic, FormattableString.Invariant($"{{\"number\": {value:0.000}, \"epochtime\": {time:0.000}}}"));
    }

    private static string Here([CallerFilePath] string path = "") => path;
}
