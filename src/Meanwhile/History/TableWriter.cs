using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Meanwhile.Stores;

namespace Meanwhile.History;

/// <summary>Writes readings, and the results that are made of them. Numbers and times read back as exactly what they were.</summary>
internal sealed class TableWriter(Stream output, DataFormat format)
{
    private const int FlushFrom = 64 << 10;

    private readonly ArrayBufferWriter<byte> _buffer = new(2 * FlushFrom);
    private (string? Text, byte[] Encoded) _topic;

    /// <summary>Writes the names, where the format has a line for them.</summary>
    public void WriteNames(params IEnumerable<string> names)
    {
        if (format == DataFormat.Csv)
            _buffer.Write(Encoding.UTF8.GetBytes(string.Join(',', names) + "\n"));
    }

    /// <summary>Writes a reading: topic, number, epochtime.</summary>
    public void Write(in Reading reading)
    {
        WriteTopic(reading.Series);
        _buffer.Write(format == DataFormat.Json ? ", \"number\": "u8 : ","u8);
        WriteNumber(reading.Value);
        WriteTime(reading.Time);
        EndLine(format == DataFormat.Json ? "}"u8 : default);
    }

    /// <summary>Writes a result as it was published, with its topic and the time at which its windows end.</summary>
    public void WriteJson(string topic, long time, ReadOnlySpan<byte> result)
    {
        WriteTopic(topic);
        WriteTime(time);
        _buffer.Write(", \"result\": "u8);
        _buffer.Write(result);
        EndLine("}"u8);
    }

    /// <summary>Writes a result's values, with its topic and the time at which its windows end.</summary>
    public void WriteCsv(string topic, long time, ReadOnlySpan<double?> values)
    {
        WriteTopic(topic);
        WriteTime(time);
        foreach (var value in values)
        {
            _buffer.Write(","u8);
            if (value is { } number)
                WriteNumber(number);
        }
        EndLine(default);
    }

    /// <summary>Hands everything over that was written.</summary>
    public void Flush()
    {
        output.Write(_buffer.WrittenSpan);
        _buffer.ResetWrittenCount();
    }

    private void WriteTopic(string topic)
    {
        if (_topic.Text != topic)
            _topic = (topic, Encoding.UTF8.GetBytes(format == DataFormat.Json ? QuoteJson(topic) : Csv.Quote(topic)));
        if (format == DataFormat.Json)
            _buffer.Write("{\"topic\": "u8);
        _buffer.Write(_topic.Encoded);
    }

    private static string QuoteJson(string text) => $"\"{JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"";

    private void WriteTime(long milliseconds)
    {
        _buffer.Write(format == DataFormat.Json ? ", \"epochtime\": "u8 : ","u8);
        WriteNumber(milliseconds / 1000m); // A decimal: no digit is lost or made up.
    }

    private void WriteNumber<T>(T number)
        where T : IUtf8SpanFormattable
    {
        number.TryFormat(_buffer.GetSpan(64), out var length, default, CultureInfo.InvariantCulture);
        _buffer.Advance(length);
    }

    private void EndLine(ReadOnlySpan<byte> end)
    {
        _buffer.Write(end);
        _buffer.Write("\n"u8);
        if (_buffer.WrittenCount >= FlushFrom)
            Flush();
    }
}
