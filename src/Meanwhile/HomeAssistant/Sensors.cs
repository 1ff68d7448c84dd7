using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Meanwhile.Pipeline;

namespace Meanwhile.HomeAssistant;

/// <summary>The sensors of a series as Home Assistant's discovery has them: one for the mean of each window, all of one device.</summary>
internal sealed class Sensors
{
    private const int LongestTopic = 1024;
    private const int LongestId = 40;
    private static readonly SearchValues<char> Safe = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");
    private static readonly string Version = typeof(Sensors).Assembly.GetName().Version!.ToString(3);

    // Pages get these from Home Assistant, which escapes them; here they shall stay readable.
    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly AnnouncerOptions _options;
    private readonly AggregatorOptions _aggregator;
    private readonly string _node;

    public Sensors(AnnouncerOptions options, AggregatorOptions aggregator)
    {
        (_options, _aggregator) = (options, aggregator);
        _node = NodeOf(options.ClientId);
        Topics = TopicsOf(options);
    }

    /// <summary>What all topics of ours begin with.</summary>
    public string Topics { get; }

    /// <summary>What matches the configurations of all sensors of ours, of earlier runs too.</summary>
    public string Configurations => $"{Topics}+/config";

    /// <summary>Where it stands whether we are there.</summary>
    public string Availability => $"{Topics}availability";

    /// <summary>Where Home Assistant says that it has started.</summary>
    public string Birth => $"{_options.Prefix}/status";

    /// <summary>What all topics of ours begin with.</summary>
    public static string TopicsOf(AnnouncerOptions options) => $"{options.Prefix}/sensor/{NodeOf(options.ClientId)}/";

    /// <summary>Whether a series can have sensors.</summary>
    public static bool CanHave(string series) => Encoding.UTF8.GetByteCount(series) <= LongestTopic;

    /// <summary>The configurations of a series' sensors, and where they go.</summary>
    public IEnumerable<(string Topic, byte[] Configuration)> Of(string series)
    {
        var device = Identify(series);
        foreach (var window in _aggregator.Windows)
            yield return ($"{Topics}{device}_{window.Name}/config", Configure(series, device, window.Name));
    }

    private byte[] Configure(string series, string device, string window)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, Readable))
        {
            json.WriteStartObject();
            json.WriteString("name"u8, $"Mean {window}");
            json.WriteString("unique_id"u8, $"{_node}_{device}_{window}");
            json.WriteString("state_topic"u8, _aggregator.ResultTopic(series));
            json.WriteString("value_template"u8, $"{{{{ value_json.avg_{window} }}}}");
            json.WriteString("availability_topic"u8, Availability);
            json.WriteString("state_class"u8, "measurement"u8);
            if (_options.Unit is not null)
                json.WriteString("unit_of_measurement"u8, _options.Unit);
            if (_options.DeviceClass is not null)
                json.WriteString("device_class"u8, _options.DeviceClass);
            json.WriteStartObject("device"u8);
            json.WriteStartArray("identifiers"u8);
            json.WriteStringValue($"{_node}_{device}");
            json.WriteEndArray();
            json.WriteString("name"u8, series);
            json.WriteString("manufacturer"u8, "Meanwhile"u8);
            json.WriteString("model"u8, "Rolling statistics"u8);
            json.WriteString("sw_version"u8, Version);
            json.WriteEndObject();
            json.WriteStartObject("origin"u8);
            json.WriteString("name"u8, "Meanwhile"u8);
            json.WriteString("sw_version"u8, Version);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    private static string NodeOf(string clientId) => $"meanwhile_{(clientId.AsSpan().ContainsAnyExcept(Safe) ? Identify(clientId) : clientId)}";

    // What can be read of a text, and a hash that keeps texts apart which look alike then.
    private static string Identify(string text)
    {
        var id = new StringBuilder();
        foreach (var c in text.AsSpan(0, Math.Min(text.Length, LongestId)))
            id.Append(Safe.Contains(c) ? c : '_');
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 6);
        return $"{id}_{Convert.ToHexStringLower(hash)}";
    }
}
