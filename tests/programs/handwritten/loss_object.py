import numpy as np


class Network:
    def __init__(self,D,H,K):
        np.random.seed(0)
        self.params={}; self.params['Wx']=np.random.randn(D,H)/np.sqrt(D); self.params['Wh']=np.random.randn(H,H); self.params['b']=np.zeros(H); self.params['V']=np.random.randn(H,K)
        self.grads={}
    def forward(self,xs,ys):
        self.xs,self.ys=xs,ys; self.hs={-1:np.zeros((xs.shape[1],self.params['Wh'].shape[0]))}; self.ps={}; loss=0.
        for t,x in enumerate(xs):
            self.hs[t]=np.tanh(x@self.params['Wx']+self.hs[t-1]@self.params['Wh']+self.params['b'])
            z=self.hs[t]@self.params['V']; z-=z.max(axis=1,keepdims=True)
            p=np.exp(z); p/=p.sum(axis=1,keepdims=True); self.ps[t]=p
            loss+=float(-np.log(p[np.arange(len(p)),ys[t]]).mean())
        return loss/len(xs)
    def backward(self):
        g={k:np.zeros_like(v) for k,v in self.params.items()}; dn=0; T=len(self.xs); N=self.xs.shape[1]
        for t in range(T-1,-1,-1):
            dz=self.ps[t].copy(); dz[np.arange(N),self.ys[t]]-=1; dz/=N*T
            g['V']+=self.hs[t].T@dz
            da=(dz@self.params['V'].T+dn)*(1-self.hs[t]**2)
            g['Wx']+=self.xs[t].T@da; g['Wh']+=self.hs[t-1].T@da; g['b']+=da.sum(0); dn=da@self.params['Wh'].T
        self.grads=g
