using System.CommandLine;
using Meanwhile.HomeAssistant;

namespace Meanwhile.Settings;

/// <summary>What Home Assistant is told.</summary>
internal static class HomeAssistantSettings
{
    private const string Standard = "homeassistant";

    private static readonly Setting<string> Prefix = new(
        "--home-assistant", null, null, "PREFIX", "let Home Assistant discover a sensor for each series and window [default of PREFIX: homeassistant]",
        text => text.Length == 0 ? Standard : TopicName.ParseTopic(text))
    {
        MayBeBare = true,
    };

    private static readonly Setting<string> Unit = new("--home-assistant-unit", null, null, "UNIT", "unit of those sensors, such as °C", text => text);

    private static readonly Setting<string> DeviceClass = new("--home-assistant-class", null, null, "CLASS", "device class of those sensors, such as temperature", text => text);

    private static readonly Setting<int> MostSeries = new(
        "--home-assistant-series", null, "100", "NUMBER", "how many series have sensors at most", text => (int)CommonSettings.ParseWhole(text, 1, 10_000));

    /// <summary>All of them.</summary>
    public static IEnumerable<Option> Options { get; } = [Prefix.Option, Unit.Option, DeviceClass.Option, MostSeries.Option];

    /// <summary>Reads them.</summary>
    /// <param name="clientId">Whose sensors they are.</param>
    /// <returns>Null when nothing is to be announced.</returns>
    /// <exception cref="UserException">They make no sense.</exception>
    public static AnnouncerOptions? Read(ParseResult commandLine, SettingSources sources, string clientId)
    {
        if (Prefix.Read(commandLine, sources) is { } prefix)
        {
            return new AnnouncerOptions(prefix, clientId)
            {
                Unit = Unit.Read(commandLine, sources),
                DeviceClass = DeviceClass.Read(commandLine, sources),
                MostSeries = MostSeries.Read(commandLine, sources),
            };
        }
        return Options.FirstOrDefault(option => commandLine.GetResult(option) is { Implicit: false }) is { } option
            ? throw new UserException($"{option.Name} is about sensors that are not announced: expected --home-assistant as well", ExitCode.Usage)
            : null;
    }
}
