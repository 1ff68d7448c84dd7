using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Meanwhile.Web;

/// <summary>Answers in JSON. Topics are strangers' texts: the writer escapes them, also for those who put an answer into HTML.</summary>
internal static class Json
{
    /// <summary>Answers with what is written. It is collected first, so that a slow reader holds neither the store nor the windows.</summary>
    public static Task WriteAsync(HttpContext context, Action<Utf8JsonWriter> write) => WriteAsync(context, "application/json", write);

    /// <inheritdoc cref="WriteAsync(HttpContext, Action{Utf8JsonWriter})"/>
    public static Task WriteAsync(HttpContext context, string contentType, Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
            write(json);
        return SendAsync(context, contentType, buffer.WrittenMemory);
    }

    /// <summary>Answers with bytes.</summary>
    public static async Task SendAsync(HttpContext context, string contentType, ReadOnlyMemory<byte> content)
    {
        context.Response.ContentType = contentType;
        context.Response.ContentLength = content.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
            await context.Response.Body.WriteAsync(content, context.RequestAborted);
    }

    /// <summary>A time in seconds, to the millisecond: a decimal, so that no digit is lost or made up.</summary>
    public static void WriteTime(this Utf8JsonWriter json, ReadOnlySpan<byte> name, long milliseconds) => json.WriteNumber(name, milliseconds / 1000m);

    /// <summary>Times, as <see cref="WriteTime"/> writes one.</summary>
    public static void WriteTimes(this Utf8JsonWriter json, ReadOnlySpan<byte> name, IEnumerable<long> milliseconds)
    {
        json.WriteStartArray(name);
        foreach (var time in milliseconds)
            json.WriteNumberValue(time / 1000m);
        json.WriteEndArray();
    }

    /// <summary>Readings of one series, column by column.</summary>
    public static void WriteReadings(this Utf8JsonWriter json, IReadOnlyCollection<(long Time, double Value)> readings)
    {
        json.WriteStartObject();
        json.WriteTimes("epochtime"u8, readings.Select(reading => reading.Time));
        json.WriteStartArray("number"u8);
        foreach (var (_, value) in readings)
            json.WriteNumberValue(value);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>A result as it is published, with its series, the time at which its windows end, and that of its newest reading.</summary>
    public static void WriteResult(this Utf8JsonWriter json, string topic, ReadOnlySpan<byte> result, long end, long? newest)
    {
        json.WriteStartObject();
        json.WriteString("topic"u8, topic);
        json.WriteTime("epochtime"u8, end);
        if (newest is { } time)
            json.WriteTime("newest"u8, time);
        else
            json.WriteNull("newest"u8);
        json.WritePropertyName("result"u8);
        json.WriteRawValue(result, skipInputValidation: true); // To the byte.
        json.WriteEndObject();
    }
}
