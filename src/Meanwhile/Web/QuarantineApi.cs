using System.Text.Json;
using Meanwhile.Stores;
using Microsoft.AspNetCore.Http;

namespace Meanwhile.Web;

/// <summary>Messages that were no readings.</summary>
internal sealed class QuarantineApi(PastApi past)
{
    private const int DefaultMessages = 100;
    private const int MostMessages = 1000;

    // Payloads are read for a list as well, which tells their lengths alone.
    private const int MostPayload = 16 << 20;

    // As much as an answer has room for in base64.
    private const int LargestPart = 2 << 20;

    public IEnumerable<Route> Routes =>
    [
        new("/api/quarantine", ["order", "after", "limit"], ListAsync),
        new("/api/quarantine/message", ["number", "offset"], MessageAsync),
    ];

    private Task ListAsync(HttpContext context)
    {
        var parameters = new Parameters(context.Request.Query);
        var newestFirst = (parameters.Text("order") ?? "oldest") switch
        {
            "oldest" => false,
            "newest" => true,
            _ => throw ProblemException.BadParameter("order", "oldest or newest"),
        };
        var (after, limit) = (parameters.Whole("after", 0, long.MaxValue), parameters.Limit(DefaultMessages, MostMessages));
        return past.ReadAsync(context, reader => Json.WriteAsync(context, json =>
        {
            json.WriteStartObject();
            json.WriteStartArray("messages"u8);
            var messages = reader.ReadQuarantine(newestFirst).Where(m => after is null || (newestFirst ? m.Number < after : m.Number > after));
            var next = WriteSome(json, messages, limit);
            json.WriteEndArray();
            json.WriteNumberOrNull("next"u8, next);
            json.WriteEndObject();
        }));
    }

    // The number of the last one, when there are more.
    private static long? WriteSome(Utf8JsonWriter json, IEnumerable<QuarantinedMessage> messages, int limit)
    {
        var (count, last, payload) = (0, 0L, 0L);
        foreach (var message in messages)
        {
            if (count++ == limit || json.IsFull() || payload > MostPayload)
                return last;
            json.WriteStartObject();
            Write(json, message);
            json.WriteEndObject();
            (last, payload) = (message.Number, payload + message.Message.Payload.Length);
        }
        return null;
    }

    private Task MessageAsync(HttpContext context)
    {
        var parameters = new Parameters(context.Request.Query);
        var number = parameters.Whole("number", 0, long.MaxValue) ?? throw ProblemException.BadParameter("number", "the number of a message");
        var offset = (int)(parameters.Whole("offset", 0, int.MaxValue) ?? 0);
        return past.ReadAsync(context, reader => reader.ReadQuarantine().Where(m => m.Number == number).Take(1).ToList() is [var message]
            ? Json.WriteAsync(context, json => WriteWhole(json, message, offset))
            : throw new ProblemException(StatusCodes.Status404NotFound, $"there is no message {number} in the quarantine: /api/quarantine lists them"));
    }

    private static void WriteWhole(Utf8JsonWriter json, in QuarantinedMessage message, int offset)
    {
        var rest = message.Message.Payload[Math.Min(offset, message.Message.Payload.Length)..].Span;
        json.WriteStartObject();
        Write(json, message);
        json.WriteBase64String("payload"u8, rest[..Math.Min(LargestPart, rest.Length)]);
        json.WriteNumberOrNull("next"u8, rest.Length > LargestPart ? offset + LargestPart : null);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, in QuarantinedMessage quarantined)
    {
        var (number, message) = quarantined;
        json.WriteNumber("number"u8, number);
        json.WriteTime("arrived"u8, message.Arrived);
        json.WriteString("topic"u8, message.Topic);
        json.WriteNumber("bytes"u8, message.Payload.Length);
        json.WriteString("reason"u8, message.Reason);
    }
}
