using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Meanwhile.Web;

/// <summary>
/// Answers in JSON. Topics are strangers' texts: they stand in quotes as they are, for the content type is JSON's and nobody may guess another one; whoever puts
/// an answer into HTML has to escape it.
/// </summary>
internal static class Json
{
    /// <summary>How everything is written.</summary>
    public static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Answers with what is written. It is collected first, so that a slow reader holds neither the store nor the windows.</summary>
    public static Task WriteAsync(HttpContext context, Action<Utf8JsonWriter> write) => WriteAsync(context, "application/json", write);

    /// <inheritdoc cref="WriteAsync(HttpContext, Action{Utf8JsonWriter})"/>
    public static async Task WriteAsync(HttpContext context, string contentType, Action<Utf8JsonWriter> write)
    {
        using var buffer = new ResponseBuffer(ResponseMemory.Of(context));
        using (var json = new Utf8JsonWriter(buffer, Options))
            write(json);
        await buffer.SendAsync(context, contentType);
    }

    /// <summary>The answer is as long as it may be.</summary>
    public static bool IsFull(this Utf8JsonWriter json) => json.BytesCommitted + json.BytesPending >= ResponseMemory.LargestResponse;

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

    /// <summary>A number, or null.</summary>
    public static void WriteNumberOrNull(this Utf8JsonWriter json, ReadOnlySpan<byte> name, long? number)
    {
        if (number is { } value)
            json.WriteNumber(name, value);
        else
            json.WriteNull(name);
    }

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
