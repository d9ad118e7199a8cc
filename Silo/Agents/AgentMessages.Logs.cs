using Hosting.Servers;

namespace Hosting.Silo.Agents;

/// <content>Logs.</content>
internal static partial class AgentMessages
{
    /// <summary>How long an agent waits for a line before it says that there is none.</summary>
    private const int WaitMillis = 2_000;

    public static Protocol.HubMessage Write(long request, LogRead read)
    {
        var message = new Protocol.ReadLogs
        {
            Request = request,
            Reader = read.Reader,
            Vm = read.Vm,
            Container = read.Container,
            From = new Protocol.LogPosition { At = read.From.At, Count = read.From.Count },
            Follow = read.Follow,
            WaitMillis = WaitMillis,
        };
        if (read.Tail is { } tail)
            message.Tail = tail;
        return new Protocol.HubMessage { ReadLogs = message };
    }

    public static LogChunk Read(Protocol.LogLines lines) => new()
    {
        State = lines.State switch
        {
            Protocol.LogState.Open => LogState.Open,
            Protocol.LogState.End => LogState.End,
            Protocol.LogState.NotYet => LogState.NotYet,
            Protocol.LogState.Gone => LogState.Gone,
            _ => LogState.Refused,
        },
        Lines = [.. lines.Lines.Select(line => new LogLine(Read(line.Position), line.Error, line.Text))],
        Next = Read(lines.Next),
        Reason = NullIfEmpty(lines.Reason),
    };

    private static LogPosition Read(Protocol.LogPosition? position) => position is null ? default : new(position.At, position.Count);
}
