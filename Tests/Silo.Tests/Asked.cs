using System.Collections.Concurrent;
using Hosting.Apps;

namespace Hosting.Silo.Tests;

/// <summary>What replica sets are asked, in order: it looks on and changes nothing.</summary>
public sealed class Asked : IIncomingGrainCallFilter
{
    private readonly ConcurrentQueue<(string What, ContainerMove Move, DateTimeOffset At)> _asked = new();

    public async Task Invoke(IIncomingGrainCallContext context)
    {
        if (context.Grain is IReplicaSetGrain)
            Note(context);
        await context.Invoke();
    }

    /// <summary>Moves that were asked for of these containers.</summary>
    public IReadOnlyList<ContainerMove> Moves(IEnumerable<string> containers) => Of(nameof(IReplicaSetGrain.Move), containers);

    /// <summary>These containers that were told to stay.</summary>
    public IReadOnlyList<string> Stays(IEnumerable<string> containers) => [.. Of(nameof(IReplicaSetGrain.Stay), containers).Select(m => m.Container)];

    /// <summary>These containers of which it was said that nothing takes them.</summary>
    public IReadOnlyList<ContainerMove> Holds(IEnumerable<string> containers) => Of(nameof(IReplicaSetGrain.Hold), containers);

    /// <summary>When one of these containers was first asked to move; null when none was.</summary>
    public DateTimeOffset? FirstMoveAt(IEnumerable<string> containers) =>
        _asked.Where(a => a.What == nameof(IReplicaSetGrain.Move) && containers.Contains(a.Move.Container)).Select(a => (DateTimeOffset?)a.At).FirstOrDefault();

    private List<ContainerMove> Of(string what, IEnumerable<string> containers) =>
        [.. _asked.Where(a => a.What == what && containers.Contains(a.Move.Container)).Select(a => a.Move)];

    private void Note(IIncomingGrainCallContext context)
    {
        IEnumerable<ContainerMove> moves = context.MethodName switch
        {
            nameof(IReplicaSetGrain.Move) or nameof(IReplicaSetGrain.Hold) => (IReadOnlyList<ContainerMove>)context.Request.GetArgument(0)!,
            nameof(IReplicaSetGrain.Stay) => ((IReadOnlyList<string>)context.Request.GetArgument(0)!).Select(id => new ContainerMove(id, default, "", null)),
            _ => [],
        };
        foreach (var move in moves)
            _asked.Enqueue((context.MethodName, move, TimeProvider.System.GetUtcNow()));
    }
}
