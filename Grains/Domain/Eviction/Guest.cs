using Hosting.Placement;

namespace Hosting.Domain.Eviction;

/// <summary>A container on a server under pressure.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Frees">What its leaving would free, never negative: what it takes now or, where that is not measured, its demand.</param>
public readonly record struct Guest(string Id, Demand Frees);

/// <summary>How full a server is.</summary>
/// <param name="Utilization">The shares in use, with everything that still runs.</param>
/// <param name="Thresholds">The server's thresholds.</param>
/// <param name="Capacity">CPU and memory of the whole server, over 0.</param>
/// <param name="Leaving">What those that leave already will free.</param>
public readonly record struct ServerLoad(Utilization Utilization, Thresholds Thresholds, Demand Capacity, Demand Leaving);
